from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.commands.postfix.conftest import Run, System, ended_by


def test_log_rotation(system: System, run: Run, running: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    system.program("compress")
    logfile = system.folder / "maillog"
    system.write(
        maillog_file=logfile,
        maillog_file_prefixes=system.folder,
        maillog_file_rotate_suffix="old",
        maillog_file_compressor=system.programs / "compress",
    )
    assert run("logrotate")[0] == 0
    logfile.write_text("line\n")
    pid = running()
    assert run("logrotate") == (0, [])
    assert ended_by(pid) == signal.SIGHUP
    assert system.called() == [f"compress {logfile}.old"]
    assert not logfile.exists()
    assert Path(f"{logfile}.old").read_text() == "line\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "empty 'maillog_file' parameter value - logfile rotation failed"),
        ("/dev/stdout", "not rotating '/dev/stdout'"),
    ],
)
def test_nothing_to_rotate(system: System, run: Run, value: str, text: str) -> None:
    system.write(maillog_file=value)
    assert run("logrotate") == (1, [f"postfix/postlog: fatal: {text}"])


def test_what_goes_wrong(system: System, run: Run) -> None:
    logfile = system.folder / "maillog"
    system.write(maillog_file=logfile, maillog_file_prefixes=system.folder, maillog_file_compressor=system.programs / "compress")
    assert run("logrotate", "x") == (1, ["postfix/postlog: fatal: usage postfix logrotate (no arguments)"])
    text = f"postfix/postlog: fatal: logfile '{logfile}' rotation failed:"
    logfile.touch()
    assert run("logrotate") == (1, [f"{text} {system.programs}/compress: not found"])
    system.program("compress", "echo a; echo b >&2; exit 3")
    logfile.touch()
    assert run("logrotate") == (1, [f"{text} a?b"])
    system.write(maillog_file_rotate_suffix="a/b")
    logfile.touch()
    assert run("logrotate") == (1, [f"{text} mv: cannot move '{logfile}' to '{logfile}.a/b': No such file or directory"])
