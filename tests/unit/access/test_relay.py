"""Who may send mail where; whole sessions are in tests/parity/smtpd."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.evaluate import Check
from pyfix.access.general import permit
from pyfix.access.relay import (
    defer_unauth_destination,
    is_authorized,
    permit_auth_destination,
    reject_unauth_destination,
)
from pyfix.access.stage import RECIPIENT
from pyfix.access.verdict import DUNNO, PERMIT, Reject
from pyfix.protocols.internal.rewrite import CLASS_DEFAULT, CLASS_RELAY, CLASS_VIRTUAL, ROUTED, ResolveReply
from pyfix.runtime.task import run_now

from .fakes import transaction

CHECK = Check("x", permit)


@pytest.mark.parametrize(
    ("recipient", "ours"),
    [
        ("user@ours.example", True), ("a@elsewhere.example", False), ("a%b@ours.example", False), ("joe", True),
        (None, None),
    ],
)  # fmt: skip
def test_destinations(monkeypatch: Any, recipient: str | None, ours: bool | None) -> None:
    found = transaction(monkeypatch, sender="s@x", recipient=recipient)
    rejected = run_now(reject_unauth_destination(found, RECIPIENT, CHECK))
    deferred = run_now(defer_unauth_destination(found, RECIPIENT, CHECK))
    permitted = run_now(permit_auth_destination(found, RECIPIENT, CHECK))
    if ours is False:
        assert isinstance(rejected, Reject) and isinstance(deferred, Reject)
        assert rejected.reply == f"454 4.7.1 <{recipient}>: Relay access denied".replace("454 4.7.1", f"{rejected.code} 5.7.1")
        assert deferred.reply == f"{rejected.code - 100} 4.7.1 <{recipient}>: Relay access denied"
        assert permitted is DUNNO
    else:
        assert rejected is DUNNO is deferred
        assert permitted is (PERMIT if ours else DUNNO)


def test_code(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="s@x", recipient="a@elsewhere.example", relay_domains_reject_code="550")
    verdict = run_now(reject_unauth_destination(found, RECIPIENT, CHECK))
    assert isinstance(verdict, Reject) and verdict.reply == "550 5.7.1 <a@elsewhere.example>: Relay access denied"


@pytest.mark.parametrize(
    ("flags", "untrusted", "authorized"),
    [
        (CLASS_RELAY, "no", True), (CLASS_VIRTUAL, "no", True), (CLASS_DEFAULT, "no", False),
        (CLASS_RELAY | ROUTED, "no", False), (CLASS_RELAY | ROUTED, "yes", True), (CLASS_DEFAULT | ROUTED, "yes", False),
    ],
)  # fmt: skip
def test_routes_through_us(monkeypatch: Any, flags: int, untrusted: str, authorized: bool) -> None:
    found = transaction(monkeypatch, allow_untrusted_routing=untrusted)
    reply = ResolveReply(flags=0, transport="x", nexthop="y", recipient="a@y.example", resolve_flags=flags)
    assert is_authorized(found, reply) is authorized
