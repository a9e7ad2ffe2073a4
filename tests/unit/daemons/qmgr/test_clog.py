from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.daemons.qmgr import clog
from pyfix.daemons.qmgr.clog import ClogWatch
from pyfix.runtime.log import log


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(log, "warning", found.append)
    monkeypatch.setattr(clog, "current", lambda: SimpleNamespace(now=1000.0))
    return found


def watch(active: int = 10, **more: object) -> ClogWatch:
    settings: Any = SimpleNamespace(
        **{"qmgr_clog_warn_time": 300, "helpful_warnings": True, "qmgr_message_active_limit": 10, **more}
    )
    return ClogWatch(settings, lambda: active)


def destination(todo: int = 9, busy: int = 1, *, limit: int = 20, window: int = 5, others: int = 0) -> Any:
    waiting = [SimpleNamespace(waiting=1) for _ in range(others + 1)]
    transport = SimpleNamespace(
        name="smtp", rules=SimpleNamespace(limit=limit), destinations=dict(enumerate(waiting))
    )
    return SimpleNamespace(
        nexthop="x.example", waiting=todo, busy=busy, transport=transport, window=SimpleNamespace(size=window), warn_again=0.0
    )


@pytest.mark.parametrize(
    ("found", "advice"),
    [
        (destination(), "you may need to reduce smtp connect and helo timeouts"),
        (destination(limit=2), "you may need to increase the main.cf smtp_destination_concurrency_limit from 2"),
        (destination(window=11), "you may need to increase the main.cf qmgr_message_active_limit from 10"),
        (destination(others=1), "you may need a separate master.cf transport for x.example"),
    ],
)
def test_advice(lines: list[str], found: Any, advice: str) -> None:
    watch().look(found)
    assert lines[:2] == ["mail for x.example is using up 10 of 10 active queue entries", advice]


def test_other_mail(lines: list[str]) -> None:
    watch(active=20).look(destination())
    assert lines[1] == "this may slow down other mail deliveries"


def test_once_in_a_while(lines: list[str]) -> None:
    found = destination()
    watch().look(found)
    count = len(lines)
    watch().look(found)
    assert (len(lines), found.warn_again) == (count, 1300.0)


def test_what_is_never_told_of() -> None:
    assert watch().most == 2
    assert watch(qmgr_clog_warn_time=0).most == watch(helpful_warnings=False).most == 0
