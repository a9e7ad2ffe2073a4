"""Going into the background: each test forks, so that the test run itself stays where it is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from pyfix.daemons.master import background
from pyfix.daemons.master.background import Waiter, go_to_background
from pyfix.daemons.master.options import Options


def status_of(act: Callable[[], object]) -> int:
    """Run something in a child; return its exit status."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        try:
            act()
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("word", "status"),
    [
        (lambda waiter: waiter.ready(), 0),
        (lambda waiter: waiter.failed("it does not work"), 1),
        (lambda waiter: None, 1),
    ],
    ids=["ready", "failed", "silent"],
)
def test_waiting(word: Callable[[Waiter], None], status: int) -> None:
    def act() -> None:
        waiter = go_to_background(Options(wait=True))
        word(waiter)
        os._exit(0)

    assert status_of(act) == status


def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_WAIT", 0.05)

    def act() -> None:
        go_to_background(Options(wait=True))
        signal.alarm(2)  # a fork has none of its own
        signal.pause()

    assert status_of(act) == 1


@pytest.mark.parametrize(
    ("options", "kept"),
    [(Options(), ""), (Options(keep_stdout=True), "1"), (Options(debug_in_foreground=True), "012")],
)
def test_terminal(options: Options, kept: str) -> None:
    def act() -> None:
        for fd in range(3):
            os.dup2(os.open("/dev/zero", os.O_RDWR), fd)
        go_to_background(options)
        right = all(
            os.readlink(f"/proc/self/fd/{fd}") == ("/dev/zero" if str(fd) in kept else "/dev/null") for fd in range(3)
        )
        session = (os.getsid(0) == os.getpid()) is not options.debug_in_foreground
        os._exit(0 if right and session else 5)

    assert status_of(act) == 0


def test_leader_of_a_group_stays_in_its_session() -> None:
    """As a shell starts a command; setsid(2) is refused then, and the group is enough."""

    def act() -> None:
        os.setpgid(0, 0)
        go_to_background(Options(keep_stdout=True))
        os._exit(0 if os.getpgrp() == os.getpid() else 5)

    assert status_of(act) == 0
