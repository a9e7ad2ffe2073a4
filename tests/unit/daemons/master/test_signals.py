"""Signals that come before master's loop turns."""

from __future__ import annotations

import os
import signal

import pytest

from pyfix.daemons.master.endpoint import Interfaces
from pyfix.daemons.master.master import Master
from pyfix.daemons.master.options import Options
from pyfix.daemons.master.title import TitleArea
from pyfix.runtime.servicemanager import ServiceManager
from tests.unit.runtime.forked import in_child

from .definitions import settings


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD])
def test_signals_wait_for_the_loop(number: signal.Signals) -> None:
    """Whoever was told that master runs may send a signal at once; it is acted on in the first turn."""

    def body() -> list[str]:
        seen: list[str] = []

        class Noting(Master):
            def reap(self) -> None:
                seen.append("reap")

            def terminate(self, number: int) -> None:
                seen.append("terminate")

            def _reload_or_die(self) -> None:
                seen.append("reload")

        ours = settings(mail_owner="nobody")
        master = Noting(Options(), ours, Interfaces(ours.snapshot), TitleArea(), ServiceManager())
        os.kill(os.getpid(), number)
        assert not seen
        master.loop.turn(5)
        return seen

    expected = {signal.SIGHUP: "reload", signal.SIGTERM: "terminate", signal.SIGCHLD: "reap"}[number]
    assert in_child(body) == repr([expected])
