"""What dynamicmaps.cf says."""

from pathlib import Path

import pytest

from pyfix.config.dynamicmaps import plugins, uses_plugins
from pyfix.config.errors import ConfigError


def test_only_with_a_folder_for_libraries(parameters: type) -> None:
    assert not uses_plugins(parameters(shlib_directory="no"))
    assert not uses_plugins(parameters(shlib_directory=""))
    assert uses_plugins(parameters(shlib_directory="/x"))


def test_files_are_read_once(tmp_path: Path, parameters: type) -> None:
    """The first entry for a type counts."""
    (tmp_path / "dynamicmaps.cf").write_text("# types\n\nfoo\tfoo.so foo_open make\nbar /y/bar.so o\nfoo x y\n")
    (tmp_path / "dynamicmaps.cf.d").mkdir()
    (tmp_path / "dynamicmaps.cf.d/any name").write_text("bar z.so o\nzoo z.so o")
    snapshot = parameters(meta_directory=str(tmp_path), shlib_directory="/x")
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
def test_malformed_lines(tmp_path: Path, parameters: type, line: str) -> None:
    (tmp_path / "dynamicmaps.cf").write_text(f"\n{line}\n")
    with pytest.raises(ConfigError, match=r"/dynamicmaps.cf, line 2: Expected \"dict-type "):
        plugins(parameters(meta_directory=str(tmp_path), shlib_directory="/x"), print)


def test_nothing_there(tmp_path: Path, parameters: type) -> None:
    known = plugins(parameters(meta_directory=str(tmp_path), shlib_directory="/x"), pytest.fail)
    assert not known.found
    assert not known.libraries
