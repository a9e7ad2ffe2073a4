from __future__ import annotations

import fcntl
import sys
from pathlib import Path

import pytest

from pyfix.commands import postlock
from pyfix.runtime.log import log


@pytest.fixture(autouse=True)
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "main.cf").write_text("deliver_lock_attempts = 2\nmailbox_delivery_lock = fcntl, dotlock\n")
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    monkeypatch.setattr(postlock.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(sys, "argv", ["postlock"])
    monkeypatch.setattr(log, "_stderr", False)
    return tmp_path / "box"


def test_command_runs_locked(mailbox: Path) -> None:
    seen = mailbox.parent / "seen"
    assert postlock.main([str(mailbox), "sh", "-c", f"ls {mailbox}.lock > {seen}; exit 3"]) == 3
    assert seen.read_text() == f"{mailbox}.lock\n"
    assert not mailbox.with_name("box.lock").exists()
    assert mailbox.stat().st_mode & 0o777 == 0o600


def test_a_command_that_is_killed(mailbox: Path) -> None:
    assert postlock.main([str(mailbox), "sh", "-c", "kill -9 $$"]) == 1


def test_style_of_the_option(mailbox: Path) -> None:
    assert postlock.main(["-l", "flock", str(mailbox), "test", "!", "-e", f"{mailbox}.lock"]) == 0


def test_locked_by_others(mailbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mailbox.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert postlock.main(["-l", "flock", str(mailbox), "true"]) == 75
    assert capsys.readouterr().err == (
        f"postlock: fatal: open file {mailbox}: unable to lock for exclusive access: Resource temporarily unavailable\n"
    )


def test_lock_file_of_others(mailbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mailbox.touch()
    mailbox.with_name("box.lock").touch()
    assert postlock.main([str(mailbox), "true"]) == 75
    assert "unable to create lock file" in capsys.readouterr().err
    assert mailbox.with_name("box.lock").exists()


@pytest.mark.parametrize(
    ("argv", "status", "text"),
    [
        ([], 75, "usage: postlock [-c config_dir] [-l lock_style] [-v] folder command..."),
        (["-x"], 75, "usage: postlock [-c config_dir] [-l lock_style] [-v] folder command..."),
        (["/nowhere/x", "true"], 75, "open file /nowhere/x: unable to create lock file /nowhere/x.lock: "
            "No such file or directory"),
        (["-l", "bad", "x", "true"], 75, 'unknown mailbox_delivery_lock value "bad" in "bad"'),
    ],
)  # fmt: skip
def test_complaints(capsys: pytest.CaptureFixture[str], argv: list[str], status: int, text: str) -> None:
    assert postlock.main(argv) == status
    assert capsys.readouterr().err.endswith(f"postlock: fatal: {text}\n")


def test_no_such_command(mailbox: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert postlock.main([str(mailbox), "/nowhere/command"]) == 1
    assert capfd.readouterr().err == "postlock: fatal: execvp /nowhere/command: No such file or directory\n"
