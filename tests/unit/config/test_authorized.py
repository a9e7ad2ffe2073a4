from __future__ import annotations

import os
from pathlib import Path

import pytest

import pyfix
from pyfix.config.authorized import check_directory, has_borrowed_rights
from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot


@pytest.fixture
def standard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "standard"
    folder.mkdir()
    (folder / "main.cf").write_text("myhostname = standard.example\n")
    monkeypatch.setattr(pyfix, "CONFIG_DIRECTORY", str(folder))
    monkeypatch.delenv("MAIL_CONFIG", raising=False)
    return folder


@pytest.fixture
def other(tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "main.cf").write_text("myhostname = other.example\n")
    return folder


def be(monkeypatch: pytest.MonkeyPatch, user: int, effective_user: int, group: int, effective_group: int) -> None:
    for name, value in (("uid", user), ("euid", effective_user), ("gid", group), ("egid", effective_group)):
        monkeypatch.setattr(os, f"get{name}", lambda value=value: value)


@pytest.mark.parametrize(
    ("ids", "borrowed"),
    [
        ((1000, 1000, 1000, 1000), False),
        ((1000, 1000, 1000, 120), True),
        ((1000, 0, 1000, 1000), True),
        ((0, 0, 0, 120), False),
        ((0, 1000, 0, 0), True),
    ],
)
def test_borrowed_rights(monkeypatch: pytest.MonkeyPatch, ids: tuple[int, int, int, int], borrowed: bool) -> None:
    be(monkeypatch, *ids)
    assert has_borrowed_rights() == borrowed


@pytest.mark.parametrize("name", ["alternate_config_directories", "multi_instance_directories"])
@pytest.mark.parametrize("form", ["{name} = /elsewhere, {other}\n", "{name} = /elsewhere\n  {other}\n"])
def test_listed_folders_are_authorized(standard: Path, other: Path, name: str, form: str) -> None:
    (standard / "main.cf").write_text(form.format(name=name, other=other))
    check_directory(str(other), str(standard))
    with pytest.raises(ConfigError):
        check_directory(f"{other}/", str(standard))


def test_a_set_gid_program_reads_no_other_folder(
    standard: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Snapshot.read(str(other)).value("myhostname") == "other.example"
    be(monkeypatch, 1000, 1000, 1000, 120)
    assert Snapshot.read().value("myhostname") == "standard.example"
    monkeypatch.setenv("MAIL_CONFIG", str(other))
    for asked in (None, str(other)):
        with pytest.raises(ConfigError) as caught:
            Snapshot.read(asked)
        assert caught.value.error == f"unauthorized configuration directory name: {other}"
        assert str(caught.value) == (
            f'specify "alternate_config_directories = {other}" or "multi_instance_directories = {other}" '
            f"in {standard}/main.cf"
        )
    (standard / "main.cf").unlink()
    with pytest.raises(ConfigError, match=f"open file {standard}/main.cf: No such file or directory"):
        Snapshot.read(str(other))
