"""What dynamicmaps.cf says."""

from pathlib import Path

import pytest

from pyfix.config.dynamicmaps import plugins, uses_plugins
from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot


def _snapshot(**settings: str) -> Snapshot:
    return Snapshot(settings, process_name="x")


def test_only_with_a_folder_for_libraries() -> None:
    assert not uses_plugins(_snapshot(shlib_directory="no"))
    assert not uses_plugins(_snapshot(shlib_directory=""))
    assert uses_plugins(_snapshot(shlib_directory="/x"))


def test_files_are_read_once(tmp_path: Path) -> None:
    """The first entry for a type counts."""
    (tmp_path / "dynamicmaps.cf").write_text("# types\n\nfoo\tfoo.so foo_open make\nbar /y/bar.so o\nfoo x y\n")
    (tmp_path / "dynamicmaps.cf.d").mkdir()
    (tmp_path / "dynamicmaps.cf.d/any name").write_text("bar z.so o\nzoo z.so o")
    snapshot = _snapshot(meta_directory=str(tmp_path), shlib_directory="/x")
    said: list[str] = []
    known = plugins(snapshot, said.append)
    assert said == [
        f'{tmp_path}/dynamicmaps.cf: ignoring duplicate entry for "foo"',
        f'{tmp_path}/dynamicmaps.cf.d/any name: ignoring duplicate entry for "bar"',
    ]
    assert known.found
    assert {kind: (library.path, library.functions) for kind, library in known.libraries.items()} == {
        "foo": ("/x/foo.so", ("foo_open", "make")),
        "bar": ("/y/bar.so", ("o",)),
        "zoo": ("/x/z.so", ("o",)),
    }
    (tmp_path / "dynamicmaps.cf").write_text("malformed\n")
    assert plugins(snapshot, said.append) is known
    assert len(said) == 2


@pytest.mark.parametrize("line", ["foo", "foo foo.so", "foo foo.so o m x", " ", " # x", "foo a\0 b c"])
def test_malformed_lines(tmp_path: Path, line: str) -> None:
    (tmp_path / "dynamicmaps.cf").write_text(f"\n{line}\n")
    with pytest.raises(ConfigError, match=r"/dynamicmaps.cf, line 2: Expected \"dict-type "):
        plugins(_snapshot(meta_directory=str(tmp_path), shlib_directory="/x"), print)


def test_nothing_there(tmp_path: Path) -> None:
    known = plugins(_snapshot(meta_directory=str(tmp_path), shlib_directory="/x"), pytest.fail)
    assert not known.found
    assert not known.libraries
