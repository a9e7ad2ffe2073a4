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
