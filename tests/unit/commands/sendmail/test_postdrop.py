"""What sendmail(1) makes of what postdrop(1) says; whole conversations are in test_submission.py."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pyfix.commands.sendmail import postdrop
from pyfix.commands.sendmail.postdrop import Postdrop, _said
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.console import CommandError
from pyfix.runtime.log import log


@pytest.mark.parametrize(
    ("said", "status"),
    [(b"status\x000\0reason\0\0\0", "0"), (b"status\x004\0reason\0\0\0", "4"), (b"", ""), (b"status\x000\0", ""), (b"reason\0x\0\0", "")],
)
def test_its_status(said: bytes, status: str) -> None:
    assert _said(said).get("status", "") == status


def test_it_waits_for_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls sendmail(1) would not try again."""
    (tmp_path / "main.cf").write_text("command_directory = /nowhere\n")
    refusals = [OSError(number, os.strerror(number)) for number in (errno.ENOENT, errno.EAGAIN, errno.EAGAIN)]
    told: list[str] = []

    def refuse(*_arguments: object, **_options: object) -> int:
        raise refusals.pop()

    monkeypatch.setattr(postdrop.os, "posix_spawn", refuse)
    monkeypatch.setattr(postdrop.time, "sleep", lambda seconds: told.append(f"slept {seconds}"))
    for level in ("warning", "fatal"):
        monkeypatch.setattr(log, level, told.append)
    with pytest.raises(CommandError):
        Postdrop(Snapshot.read(str(tmp_path)), "user(1)")
    again = ["fork: Resource temporarily unavailable", "slept 10"]
    assert told[:5] == [*again, *again, "execvp /nowhere/postdrop: No such file or directory"]
