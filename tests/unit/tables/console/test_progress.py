from __future__ import annotations

import io
import os
import sys
import time
from threading import Thread

import pytest

from pyfix.tables.console import process, progress
from pyfix.tables.console.options import Fatal
from pyfix.tables.console.progress import Progress
from tests.kit.processes import wait_until


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.05)
    monkeypatch.setattr(progress, "EVERY", 0.01)


def test_long_work_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("hash:t") as shown:
        shown.entries = 1234
        time.sleep(0.3)
    assert "\rhash:t: 0 s, 1,234 entries\x1b[K" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_message_takes_the_place_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("hash:t"):
        assert wait_until(lambda: "0 s" in terminal.getvalue(), 10)
        assert process.refuse(Fatal("what is wrong")) == 1
    name = os.path.basename(sys.argv[0])
    assert f"\r\x1b[K{name}: fatal: what is wrong\n" in terminal.getvalue()
    process.refuse(Fatal("later"))
    assert terminal.getvalue().endswith(f"\r\x1b[K{name}: fatal: later\n")


def test_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(Thread, "start", refuses)
    with Progress("hash:t"):
        pass
    assert terminal.getvalue() == ""


def test_short_work_and_what_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("hash:t"):
        pass
    assert terminal.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    with Progress("hash:t"):
        time.sleep(0.1)
    assert file.getvalue() == ""
