from __future__ import annotations

from tests.unit.daemons.qmgr.managing import deferred, managing, put, soon
from tests.unit.daemons.requests import bounce_service
from tests.unit.daemons.running import System
from tests.unit.daemons.services import Rewrite


def test_without_retry_defer_is_told(system: System) -> None:
    Rewrite(system)
    bounce_service(system, "defer")
    put(system, "a@y.example")
    with managing(system):
        soon(deferred(system).exists)
        lines = system.logged("ABC123: to=<a@y.example>")
        (line,) = [line for line in lines if "to=<a@y.example>" in line]
        assert line.endswith("dsn=4.3.0, status=deferred (mail transport unavailable)")
