"""Mail that is returned at the end, because nobody is there any more to hear that it was refused."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.clients import bounce
from pyfix.formats import status as bits
from pyfix.formats.queuefile import MIXED_RECIPIENTS, REQUIRETLS_ESMTP, SMTPUTF8_REQUESTED
from pyfix.protocols.internal.cleanup import BOUNCE, FILTER, HOLD, MAP_OK, REQUIRE_TLS, SMTPUTF8

from .conftest import ENVELOPE, Submit, message, record, records

TEXT = message(b"From: a@b.example\nSubject: bad\n\nx\n", recipients=records(("R", "one@x.example"), ("O", "t"), ("R", "two@x.example")))
REJECT = {"header_checks": "regexp:{{/^Subject: bad/ REJECT 5.7.1 bad words}}"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What bounce(8) is asked."""
    found: list[tuple[str, Any]] = []

    async def ask(service: str, request: Any, _timeout: float) -> bool:
        found.append((service, request))
        return True

    monkeypatch.setattr(bounce, "append", ask)
    monkeypatch.setattr(bounce, "flush", ask)
    return found


def test_a_refused_message_is_returned(submit: Submit, told: list[tuple[str, Any]]) -> None:
    outcome = submit(TEXT, flags=BOUNCE | FILTER | MAP_OK, **REJECT)
    assert (outcome.status, outcome.queue, outcome.events) == (0, None, ["answer"])
    *entries, (service, flush) = told
    assert [(name, one.recipient, one.original_recipient) for name, one in entries] == [
        ("bounce", "one@x.example", "one@x.example"), ("bounce", "two@x.example", "t"),
    ]  # fmt: skip
    assert {(one.status, one.reason, one.action) for _name, one in entries} == {("5.7.1", "bad words", "failed")}
    assert (service, flush.sender, flush.queue_name, flush.ret_flags) == ("bounce", "s@client.example", "incoming", 2)
    shown = [line for line in outcome.log if "status=bounced" in line]
    assert shown[0].startswith("ID: to=<one@x.example>, relay=none, delay=")
    assert shown[0].endswith(", dsn=5.7.1, status=bounced (bad words)")
    assert shown[1].startswith("ID: to=<two@x.example>, orig_to=<t>, relay=none, ")


def test_too_many_hops(submit: Submit, told: list[tuple[str, Any]]) -> None:
    """The whole message goes back, in which nobody has found fault with the content."""
    outcome = submit(message(b"Received: x\n" * 50 + b"\n"), flags=BOUNCE)
    assert outcome.status == 0
    assert (told[0][1].status, told[0][1].reason) == ("5.4.0", "too many hops")
    assert told[-1][1].ret_flags == 0


def test_a_notice_that_cannot_be_delivered_either_is_for_postmaster(submit: Submit, told: list[tuple[str, Any]]) -> None:
    null = message(b"Subject: bad\n\n", envelope=records(("T", "1 1"), ("S", "")))
    outcome = submit(null, flags=BOUNCE | FILTER, **REJECT)
    assert outcome.status == 0
    assert [type(request).__name__ for _service, request in told] == ["Append", "Flush"]
    assert told[1][1].sender == ""


def test_an_error_of_ours_is_not_the_senders(submit: Submit, told: list[tuple[str, Any]]) -> None:
    outcome = submit(TEXT, flags=BOUNCE | FILTER, header_checks="fail:x")
    assert outcome.status == bits.WRITE and told == []


@pytest.mark.parametrize("fails", ["append", "flush"])
def test_a_bounce_that_fails(submit: Submit, monkeypatch: pytest.MonkeyPatch, told: list[tuple[str, Any]], fails: str) -> None:
    async def fail(*_arguments: object) -> bool:
        return False

    monkeypatch.setattr(bounce, fails, fail)
    outcome = submit(TEXT, flags=BOUNCE | FILTER | MAP_OK, **REJECT)
    assert outcome.status == bits.WRITE  # and not why it was to be returned
    assert "warning: ID: bounce message failure" in outcome.log


@pytest.mark.parametrize(
    ("flags", "options"),
    [(0, 0), (SMTPUTF8, SMTPUTF8_REQUESTED), (REQUIRE_TLS, REQUIRETLS_ESMTP), (HOLD, 0)],
)
def test_size_record(submit: Submit, flags: int, options: int) -> None:
    outcome = submit(message(b"From: a@b.example\n\nx\n"), flags=flags)
    assert outcome.sizes is not None
    assert (outcome.sizes.options, outcome.sizes.flags, outcome.sizes.recipients) == (options, 0, 1)
    assert outcome.sizes.segment == outcome.sizes.content


def test_recipients_amid_other_records(submit: Submit) -> None:
    mixed = ENVELOPE + record("R", "a@x.example") + record("K", "x")
    outcome = submit(message(b"\n", envelope=mixed))
    assert outcome.sizes is not None and outcome.sizes.flags & MIXED_RECIPIENTS
