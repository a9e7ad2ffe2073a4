"""Who may use a command, by the name of his account."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.runtime.console import CommandError
from pyfix.tables.localusers import check_user

ME = pwd.getpwuid(os.getuid()).pw_name


def _snapshot(folder: Path, users: str) -> Snapshot:
    (folder / "main.cf").write_text(f"authorized_submit_users = {users}\n")
    return Snapshot.read(str(folder))


def _check(folder: Path, users: str) -> None:
    check_user(_snapshot(folder, users), "authorized_submit_users", "submit mail", 75)


@pytest.mark.parametrize("users", ["static:anyone", ME, f"nosuch, {ME.upper()}", "!nosuch, static:x", f"inline:{{{ME}=x}}"])
def test_who_may(tmp_path: Path, users: str) -> None:
    _check(tmp_path, users)


@pytest.mark.parametrize(
    ("users", "text"),
    [
        ("", f"User {ME}({os.getuid()}) is not allowed to submit mail"),
        (f"!{ME}, static:x", f"User {ME}({os.getuid()}) is not allowed to submit mail"),
        ("fail:x", "authorized_submit_users: fail:x: table lookup problem"),
        ("!", "authorized_submit_users: no pattern after '!'"),
        ("/nonexistent", "open file /nonexistent: No such file or directory"),
    ],
)
def test_who_may_not(tmp_path: Path, users: str, text: str) -> None:
    with pytest.raises(CommandError) as refused:
        _check(tmp_path, users)
    assert (str(refused.value), refused.value.status) == (text, 75)


@pytest.mark.parametrize("users", ["unknown", "root"])
def test_who_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users: str) -> None:
    snapshot = _snapshot(tmp_path, users)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    if users == "unknown":
        check_user(snapshot, "authorized_submit_users", "submit mail", 75)
        return
    with pytest.raises(CommandError, match=r"User unknown\(4711\) is not allowed"):
        check_user(snapshot, "authorized_submit_users", "submit mail", 75)
