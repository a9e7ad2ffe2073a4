from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.commands.postfix.filelist import Entry, Trouble, entries
from pyfix.commands.postfix.system import System as MailSystem
from tests.unit.commands.postfix.conftest import System

root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def paths(system: System, *lines: str) -> list[str]:
    (system.etc / "postfix-files").write_text("".join(f"{line}\n" for line in lines))
    return [entry.path for entry in entries(MailSystem.read())]


def test_what_is_listed(system: System) -> None:
    assert list(entries(MailSystem.read())) == []
    assert paths(
        system, "# $data_directory/a:f", "$data_directory/b:f:root:-:644", "/c:f:root:-:644", "$data_directory/d:l:x", "$data_directory/e:h:x",
        "$data_directory/f:f:root:-:644:o", "", "short", "$data_directory/g:f:root:-:644:1", "$shlib_directory/h:f:root:-:644",
    ) == [f"{system.data}/b", f"{system.data}/f"]  # fmt: skip
    (system.etc / "postfix-files.d").mkdir()
    for name in ("y", "x", ".z"):
        (system.etc / "postfix-files.d" / name).write_text(f"$queue_directory/{name}:d:root:-:755:uc\n")
    assert paths(system) == [f"{system.spool}/x", f"{system.spool}/y"]
    with pytest.raises(Trouble, match=r"^unknown type z for \$data_directory/b in .*/postfix-files$"):
        paths(system, "$data_directory/b:z:root:-:644")


def test_flags() -> None:
    entry = Entry("/a", "d", "root", "-", "755", "uc")
    assert (entry.is_folder, entry.upgraded, entry.made) == (True, True, True)
    entry = Entry("/a", "f", "root", "-", "755", "")
    assert (entry.is_folder, entry.upgraded, entry.made) == (False, False, False)


@root
def test_owner_and_mode(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    Entry(str(folder), "d", "nobody", "mail", "710", "c").make()
    assert (folder.stat().st_mode & 0o7777, folder.stat().st_uid) == (0o710, 65534)
    (folder / "inner").mkdir()
    (folder / "inner/file").touch(0o640)
    Entry(str(folder), "d", "daemon", "-", "0750", "r").set_permissions()
    assert [(path.stat().st_mode & 0o7777, path.stat().st_uid) for path in (folder, folder / "inner", folder / "inner/file")] == [
        (0o750, 1), (0o750, 1), (0o640, 1),
    ]  # fmt: skip


@root
@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (("missing", "root", "-", "644"), "chown: cannot access 'missing': No such file or directory"),
        (("missing", "nosuchuser", "-", "644"), "chown: invalid user: 'nosuchuser'"),
        ((".", "root", "nosuchgroup", "644"), "chgrp: invalid group: 'nosuchgroup'"),
        ((".", "root", "-", "x"), "chmod: invalid mode: 'x'\nTry 'chmod --help' for more information."),
    ],
)
def test_trouble(entry: tuple[str, str, str, str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, *rest = entry
    with pytest.raises(Trouble) as found:
        Entry(path, "f", *rest, "").set_permissions()
    assert str(found.value) == text


def test_folder_that_cannot_be_made() -> None:
    with pytest.raises(Trouble, match="mkdir: cannot create directory '/nowhere/a': No such file or directory"):
        Entry("/nowhere/a", "d", "root", "-", "755", "c").make()
