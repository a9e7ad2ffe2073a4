"""Records after the content.  What is kept and refused is as the reference has it (tests/parity/cleanup)."""

from __future__ import annotations

import pytest

from pyfix.formats import status as bits
from pyfix.protocols.internal.cleanup import DISCARD, HOLD

from .conftest import Outcome, Submit, message, record, records

END = record("E")


def extracted(submit: Submit, *middle: bytes) -> Outcome:
    return submit(message(b"From: f@x.example\nMessage-Id: <x@y>\nDate: d\n\nbody\n", tail=record("X") + b"".join(middle) + END))


def after(outcome: Outcome) -> list[tuple[str, bytes]]:
    """Return the records after X."""
    return outcome.records[outcome.kinds().index("X") + 1 :]


def test_nothing(submit: Submit) -> None:
    assert after(extracted(submit)) == [("A", b"message_id=<x@y>"), ("E", b"")]


def test_late_recipients(submit: Submit) -> None:
    outcome = extracted(submit, records(("R", "late@x.example"), ("R", "user@ours.example")))
    assert after(outcome) == [
        ("A", b"message_id=<x@y>"), ("A", b"dsn_orig_rcpt=rfc822;late@x.example"), ("O", b"late@x.example"),
        ("R", b"late@x.example"), ("E", b""),
    ]  # fmt: skip
    assert outcome.sizes is not None and outcome.sizes.recipients == 2


def test_details_of_late_recipients(submit: Submit) -> None:
    given = records(("A", "notify_flags=2"), ("A", "dsn_orig_rcpt=rfc822;o@x"), ("O", "o"), ("R", "late@x.example"))
    assert after(extracted(submit, given))[1:-1] == [
        ("A", b"notify_flags=2"), ("A", b"dsn_orig_rcpt=rfc822;o@x"), ("O", b"o"), ("R", b"late@x.example"),
    ]  # fmt: skip


@pytest.mark.parametrize("letter", "KIL>F")
def test_records_that_are_kept(submit: Submit, letter: str) -> None:
    outcome = extracted(submit, record(letter, "v"))
    assert (letter, b"v") in after(outcome)


@pytest.mark.parametrize("letter", "SMNXTQ")
def test_records_that_are_refused(submit: Submit, letter: str) -> None:
    outcome = extracted(submit, record(letter, "v"))
    assert (outcome.status, outcome.queue) == (bits.BAD, None)
    assert f"warning: ID: message rejected: unexpected record type {ord(letter)} in extracted envelope" in outcome.log


def test_flags(submit: Submit) -> None:
    assert extracted(submit, record("f", str(HOLD))).queue == "hold"
    assert extracted(submit, record("f", str(DISCARD))).log[-1] == "ID: removed (discarded)"


@pytest.mark.parametrize("attribute", ["x", "=x"])
def test_bad_attributes(submit: Submit, attribute: str) -> None:
    assert extracted(submit, record("A", attribute)).status == bits.BAD


def test_attributes(submit: Submit) -> None:
    outcome = extracted(submit, record("A", "a=b"), record("R", "late@x.example"), record("A", "c=d"))
    found = [data for kind, data in after(outcome) if kind == "A"]
    assert found[0] == b"a=b" and found[-1] == b"c=d"
    assert outcome.sizes is not None and outcome.sizes.flags & 1, "records stand among recipients"
