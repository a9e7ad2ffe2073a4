"""What tests of master share: a quiet log that remembers, and whole systems."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.master.loop import MasterLoop
from pyfix.runtime.log import log
from tests.unit.daemons.master.systems import System


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The lines that were logged, each with its severity."""
    found: list[str] = []

    def remember(severity: str, text: str) -> None:
        found.append(text if severity == "info" else f"{severity}: {text}")

    monkeypatch.setattr(log, "_log", remember)
    yield found


@pytest.fixture
def loop() -> Iterator[MasterLoop]:
    """A loop whose descriptors are closed at the end; master's own live as long as master."""
    made = MasterLoop()
    yield made
    made.abandon()
    os.close(made._signal_read)
    os.close(made._signal_write)


@pytest.fixture
def system() -> Iterator[System]:
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to the mail_owner
    made = System(folder)
    yield made
    pid = made.pid()
    if pid:
        os.kill(pid, signal.SIGTERM)
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
    shutil.rmtree(folder, ignore_errors=True)
