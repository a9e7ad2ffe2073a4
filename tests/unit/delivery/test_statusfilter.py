from __future__ import annotations

import pytest

from pyfix.delivery.outcome import BOUNCED, DEFERRED, SENT, Bounced, Deferred, Outcome, Sent
from pyfix.delivery.statusfilter import filtered
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now
from pyfix.tables.maps import Maps


@pytest.mark.parametrize(
    ("outcome", "found", "kind", "code", "text"),
    [
        (Bounced("5.1.1", "no"), "4.7.1 later", DEFERRED, "4.7.1", "later"),
        (Deferred("4.2.2", "full"), "5.2.2 full", BOUNCED, "5.2.2", "full"),
        (Bounced("5.1.1", "no"), "5.7.1", BOUNCED, "5.7.1", "no"),
        (Sent("ok"), "2.1.5 fine", SENT, "2.1.5", "fine"),
    ],
)
def test_changes(outcome: Outcome, found: str, kind: int, code: str, text: str) -> None:
    maps = Maps("smtp_delivery_status_filter", f"static:{{{found}}}")
    assert run_now(filtered(maps, outcome))[:3] == (kind, code, text)


def test_success_and_failure_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(log, "warning", said.append)
    maps = Maps("smtp_delivery_status_filter", "static:{5.0.0 x}")
    assert run_now(filtered(maps, Sent("ok"))) == Sent("ok")
    assert run_now(filtered(Maps("f", "static:odd"), Bounced("5.1.1", "no"))) == Bounced("5.1.1", "no")
    assert said == ["smtp_delivery_status_filter: bad status code: 5.0.0 x", "f: bad status code: odd"]
    assert run_now(filtered(Maps("f", "inline:{a=b}"), Sent("ok"))) == Sent("ok")
