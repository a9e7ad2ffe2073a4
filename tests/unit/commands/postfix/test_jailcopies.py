from __future__ import annotations

import os
from pathlib import Path

from pyfix.commands.postfix.jailcopies import complaints


def found(tmp_path: Path, owner: int | None = None) -> list[str]:
    uid = os.getuid() if owner is None else owner
    return sorted(complaints(str(tmp_path / "spool"), uid, "root", f"{tmp_path}/system/"))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_copies(tmp_path: Path) -> None:
    for name, copy, original in (
        ("etc/same", "x" * 100000, "x" * 100000), ("etc/other", "a", "b"), ("usr/lib/longer", "ab", "a"), ("var/unseen", "a", "b"),
    ):  # fmt: skip
        write(tmp_path / "spool" / name, copy)
        write(tmp_path / "system" / name, original)
    write(tmp_path / "spool/etc/alone", "a")
    (tmp_path / "spool/etc/link").symlink_to("alone")
    write(tmp_path / "system/etc/link", "b")
    assert found(tmp_path) == [
        f"{tmp_path}/spool/{name} and {tmp_path}/system/{name} differ" for name in ("etc/other", "usr/lib/longer")
    ]


def test_owners(tmp_path: Path) -> None:
    write(tmp_path / "spool/etc/a", "")
    write(tmp_path / "spool/active/a", "")
    assert found(tmp_path, os.getuid() + 1) == [f"not owned by root: {tmp_path}/spool/etc{end}" for end in ("", "/a")]


def test_no_copies(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    assert found(tmp_path) == []
