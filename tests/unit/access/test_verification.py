from __future__ import annotations

from typing import Any

import pytest

from pyfix.access import verification
from pyfix.access.evaluate import Check
from pyfix.access.general import permit
from pyfix.access.stage import RECIPIENT
from pyfix.access.verdict import DUNNO, DeferIfPermit, Reject
from pyfix.clients.verify import Probe
from pyfix.protocols.internal.verify import RECIPIENT_BOUNCED, RECIPIENT_DEFERRED, RECIPIENT_OK, RECIPIENT_UNKNOWN
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.task import run_now

from .fakes import transaction

CHECK = Check("x", permit)


class Verifier:
    """Answers one after the other."""

    def __init__(self, *answers: Probe | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def query(self, address: str) -> Probe:
        self.asked.append(address)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(monkeypatch: Any, *answers: Probe | Exception, lines: list[str] | None = None, **main: str) -> tuple[Any, Any, Verifier]:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(verification, "sleep", sleep)
    found = transaction(monkeypatch, lines, sender="s@x.example", recipient="r@x.example", **main)
    verifier = Verifier(*answers, *answers)
    found.policy.verifier = verifier  # type: ignore[assignment]  # a fake with what it needs
    sender = run_now(verification.reject_unverified_sender(found, RECIPIENT, CHECK))
    recipient = run_now(verification.reject_unverified_recipient(found, RECIPIENT, CHECK))
    return sender, recipient, verifier


@pytest.mark.parametrize(
    ("probe", "main", "text"),
    [
        (Probe(RECIPIENT_OK, "fine"), {}, ""),
        (Probe(RECIPIENT_DEFERRED, "later"), {}, "450 4.{} unverified address: later"),
        (Probe(RECIPIENT_BOUNCED, "never"), {}, "450 4.{} unverified address: never"),
        (Probe(RECIPIENT_BOUNCED, "never"), {"reject_code": "550"}, "550 5.{} undeliverable address: never"),
        (Probe(RECIPIENT_BOUNCED, "never"), {"reject_code": "550", "reject_reason": "No"}, "550 5.{} undeliverable address: No"),
        (Probe(RECIPIENT_DEFERRED, "x" * 300), {"defer_code": "451"}, "451 4.{} unverified address: " + "x" * 250),
        (Probe(9, "?"), {}, ""),
    ],
)  # fmt: skip
def test_outcomes(monkeypatch: Any, probe: Probe, main: dict[str, str], text: str) -> None:
    more = {f"unverified_{side}_{name}": value for name, value in main.items() for side in ("sender", "recipient")}
    sender, recipient, _ = ask(monkeypatch, probe, **more)
    for verdict, address in ((sender, "1.7 <s@x.example>: Sender address"), (recipient, "1.1 <r@x.example>: Recipient address")):
        if not text:
            assert verdict is DUNNO
        else:
            reject = verdict.reject if isinstance(verdict, DeferIfPermit) else verdict
            assert reject.reply == text.format(f"{address} rejected:")
            assert isinstance(verdict, DeferIfPermit) is (reject.code < 500)


def test_waiting_for_a_probe(monkeypatch: Any) -> None:
    waits = Probe(RECIPIENT_UNKNOWN, "under way")
    sender, _, verifier = ask(monkeypatch, waits, waits, waits, address_verify_poll_count="3")
    assert isinstance(sender, DeferIfPermit) and len(verifier.asked) == 6
    sender, _, verifier = ask(monkeypatch, waits, Probe(RECIPIENT_OK, ""), address_verify_poll_count="3")
    assert sender is DUNNO and verifier.asked == ["s@x.example"] * 2 + ["r@x.example"] * 2


def test_the_service_fails(monkeypatch: Any) -> None:
    lines: list[str] = []
    main = {"unverified_sender_tempfail_action": "defer"}
    sender, recipient, _ = ask(monkeypatch, ServiceError("x"), lines=lines, **main)
    assert isinstance(sender, Reject) and isinstance(recipient, DeferIfPermit)
    assert sender.reply == "450 4.1.7 <s@x.example>: Sender address rejected: address verification problem"
    assert lines == ["warning: verify service failure"] * 2


def test_nobody_to_ask_about(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="")
    assert run_now(verification.reject_unverified_sender(found, RECIPIENT, CHECK)) is DUNNO
    assert run_now(verification.reject_unverified_recipient(found, RECIPIENT, CHECK)) is DUNNO
