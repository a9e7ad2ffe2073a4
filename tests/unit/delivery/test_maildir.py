from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.delivery.maildir import MaildirTarget
from pyfix.delivery.outcome import BOUNCED, DEFERRED, SENT
from pyfix.delivery.output import Output
from tests.unit.delivery.filing import CONTENT, ME, Turns, deliver


def test_a_maildir_is_made_and_filled(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    folder = f"{tmp_path}/box/"
    outcomes = deliver(turns, *(MaildirTarget(ME, folder, output()) for _ in range(3)))
    assert [outcome.text for outcome in outcomes] == ["delivered to maildir"] * 3
    assert os.listdir(f"{folder}tmp") == [] and os.listdir(f"{folder}cur") == []
    names = os.listdir(f"{folder}new")
    assert len(names) == 3
    for name in names:
        path = Path(folder, "new", name)
        status = path.stat()
        assert f".V{status.st_dev:x}I{status.st_ino:x}M" in name
        assert status.st_mode & 0o777 == 0o600
        assert path.read_bytes().endswith(b"Delivered-To: a@x.example\n" + CONTENT)


def test_nothing_stays_of_a_maildir_delivery_that_failed(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"{tmp_path}/box/"

    def fail(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    outcomes = deliver(turns, MaildirTarget(ME, folder, output(), limit=100))
    assert outcomes[0].code == "5.2.2" and outcomes[0].diag_type == "x-unix"
    monkeypatch.setattr(os, "fsync", fail)
    outcomes = deliver(turns, MaildirTarget(ME, folder, output()))
    assert (outcomes[0].kind, outcomes[0].code) == (DEFERRED, "4.3.0")
    assert os.listdir(folder) == ["tmp"] and os.listdir(f"{folder}tmp") == []


def test_folders_that_cannot_be_made(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    (tmp_path / "file").touch()
    (outcome,) = deliver(turns, MaildirTarget(ME, f"{tmp_path}/file/", output()))
    assert (outcome.kind, outcome.code) == (DEFERRED, "4.2.0")
    assert outcome.text.startswith(f"maildir delivery failed: create maildir file {tmp_path}/file/tmp/")
    assert outcome.text.endswith(": Not a directory")
    (outcome,) = deliver(turns, MaildirTarget(ME, f"{tmp_path}/file/", output(), default_code="5.2.0"))
    assert (outcome.kind, outcome.code) == (BOUNCED, "5.2.0")


def test_a_folder_new_that_somebody_removed(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    (tmp_path / "box/tmp").mkdir(parents=True)
    (outcome,) = deliver(turns, MaildirTarget(ME, f"{tmp_path}/box/", output()))
    assert outcome.kind == SENT
    assert sorted(os.listdir(tmp_path / "box")) == ["cur", "new", "tmp"]
    assert len(os.listdir(tmp_path / "box/new")) == 1


def test_access_problems_are_explained(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr("pyfix.delivery.maildir.log.warning", lines.append)
    opened = os.open

    def denied(path: str, *arguments: int) -> int:
        if "/box/" in path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *arguments)

    made = output()
    monkeypatch.setattr(os, "open", denied)
    (outcome,) = deliver(turns, MaildirTarget(ME, f"{tmp_path}/box/", made))
    assert outcome.kind == DEFERRED
    assert lines[0].startswith(f"maildir access problem for UID/GID={ME.uid}/{ME.gid}: create maildir file ")
    assert lines[1] == "perhaps you need to create the maildirs in advance"
