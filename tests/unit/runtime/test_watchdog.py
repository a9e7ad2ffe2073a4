from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.runtime import watchdog
from pyfix.runtime.log import log


def ending(body: Callable[[], None], said: Path) -> int:
    """Run *body* on a loop that a watchdog of one second guards; return how the process ended."""
    pid = os.fork()
    if pid == 0:
        with said.open("w") as output:
            log.fatal = lambda text: print(text, file=output, flush=True)  # type: ignore[method-assign]  # what the test listens with
            try:
                from pyfix.runtime.loop import install

                loop = install()
                watchdog.Watchdog(1, loop).start()
                loop.later(0, body)
                loop.later(2.5, loop.stop_turning)
                loop.turn()
            except BaseException:
                os._exit(98)
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_GRACE", 0.5)


@pytest.mark.usefixtures("quick")
def test_a_loop_that_turns_lives_on(tmp_path: Path) -> None:
    assert ending(lambda: None, tmp_path / "said") == 0
    assert (tmp_path / "said").read_text() == ""


@pytest.mark.usefixtures("quick")
def test_a_hung_loop_ends_the_process(tmp_path: Path) -> None:
    assert ending(lambda: time.sleep(30), tmp_path / "said") == 1
    assert (tmp_path / "said").read_text() == "watchdog timeout\n"


@pytest.mark.usefixtures("quick")
def test_a_process_that_stood_still_lives_on(tmp_path: Path) -> None:
    """Whatever stopped it, the machine's sleep or SIGSTOP: the clock has run out once, and the loop turns again."""

    def stand_still() -> None:
        stopped = os.getpid()
        if os.fork() == 0:
            time.sleep(1.5)  # longer than the watchdog's time
            os.kill(stopped, signal.SIGCONT)
            os._exit(0)
        os.kill(stopped, signal.SIGSTOP)

    assert ending(stand_still, tmp_path / "said") == 0
    assert (tmp_path / "said").read_text() == ""


@pytest.mark.usefixtures("quick")
def test_what_never_comes_back_from_a_library(tmp_path: Path) -> None:
    """No handler written in Python can run then; the kernel ends the process."""

    def explode() -> None:
        hashlib.pbkdf2_hmac("sha256", b"a message", b"that takes", 10**9)

    assert ending(explode, tmp_path / "said") == -signal.SIGVTALRM
