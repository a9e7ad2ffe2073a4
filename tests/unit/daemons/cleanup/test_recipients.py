"""Senders and recipients as they are written."""

from __future__ import annotations

import pytest

from pyfix.formats.queuefile import SMTPUTF8_REQUESTED, SMTPUTF8_SENDER

from .conftest import ENVELOPE, Submit, message, records

AUTO_UTF8 = 512
SMTPUTF8 = 256


def recipients(outcome_records: list[tuple[str, bytes]]) -> list[bytes]:
    return [data for kind, data in outcome_records if kind == "R"]


def test_incomplete_addresses_are_completed_and_remembered(submit: Submit) -> None:
    outcome = submit(message(b"\nx\n", recipients=records(("R", "user"))))
    assert outcome.records[4:7] == [
        ("A", b"dsn_orig_rcpt=rfc822;user@mail.ours.example"),
        ("O", b"user"),
        ("R", b"user@mail.ours.example"),
    ]


def test_the_null_recipient_has_a_mailbox(submit: Submit) -> None:
    outcome = submit(message(b"\nx\n", recipients=records(("R", ""))))
    assert outcome.records[5:7] == [("O", b""), ("R", b"MAILER-DAEMON@mail.ours.example")]


def test_the_null_sender_stays(submit: Submit) -> None:
    outcome = submit(message(b"\nx\n", envelope=records(("T", "1 1"), ("S", ""))))
    assert ("S", b"") in outcome.records


def test_duplicates_are_written_once_whatever_their_case(submit: Submit) -> None:
    outcome = submit(
        message(b"\nx\n", recipients=records(("R", "a@b.example"), ("R", "A@B.example"), ("R", "a@b.example")))
    )
    assert recipients(outcome.records) == [b"a@b.example"]


def test_another_original_recipient_is_another_recipient(submit: Submit) -> None:
    both = records(("O", "one"), ("R", "a@b.example"), ("O", "two"), ("R", "a@b.example"))
    assert len(recipients(submit(message(b"\nx\n", recipients=both)).records)) == 2
    without = submit(message(b"\nx\n", recipients=both), enable_original_recipient="no")
    assert len(recipients(without.records)) == 1


def test_the_memory_for_duplicates_is_limited(submit: Submit) -> None:
    three = records(("R", "a@b.example"), ("R", "c@d.example"), ("R", "c@d.example"), ("R", "a@b.example"))
    outcome = submit(message(b"\nx\n", recipients=three), duplicate_filter_limit="1")
    assert recipients(outcome.records) == [b"a@b.example", b"c@d.example", b"c@d.example"]


@pytest.mark.parametrize(
    ("flags", "sender", "recipient", "kind", "options"),
    [
        (0, "\u00e9@x.example", "r@x.example", b"rfc822", SMTPUTF8_SENDER),
        (SMTPUTF8, "s@x.example", "\u00e9@x.example", b"utf-8", SMTPUTF8_REQUESTED),
        (AUTO_UTF8, "s@x.example", "\u00e9@x.example", b"utf-8", SMTPUTF8_REQUESTED),
        (AUTO_UTF8, "\u00e9@x.example", "r@x.example", b"rfc822", SMTPUTF8_SENDER | SMTPUTF8_REQUESTED),
        (0, "s@x.example", "\u00e9@x.example", b"rfc822", 0),
    ],
)
def test_addresses_beyond_ascii(
    submit: Submit, flags: int, sender: str, recipient: str, kind: bytes, options: int
) -> None:
    stream = message(
        b"From: a@b.example\n\nx\n", envelope=records(("T", "1 1"), ("S", sender)), recipients=records(("R", recipient))
    )
    outcome = submit(stream, flags=flags)
    assert outcome.sizes is not None
    assert any(data.startswith(b"dsn_orig_rcpt=" + kind + b";") for _, data in outcome.records)
    assert outcome.sizes.options == options


def test_late_recipients_come_after_the_content(submit: Submit) -> None:
    outcome = submit(message(b"\nx\n", tail=records(("X", ""), ("A", "q=r"), ("R", "late@x.example"), ("E", ""))))
    after = outcome.records[outcome.kinds().index("X") :]
    assert [kind for kind, _ in after] == ["X", "A", "A", "A", "O", "R", "E"]
    assert after[1] == ("A", b"q=r")
    assert after[2][1].startswith(b"message_id=")
    assert outcome.sizes is not None and outcome.sizes.recipients == 2


def test_recipients_of_a_thousand(submit: Submit) -> None:
    many = b"".join([records(("R", f"user{number}@x.example")) for number in range(1000)])
    outcome = submit(message(b"\nx\n", envelope=ENVELOPE, recipients=many), chunk=5000)
    assert len(recipients(outcome.records)) == 1000
