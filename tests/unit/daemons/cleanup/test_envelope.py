"""Envelope records: what is kept, what is refused.  The expectations are what the reference did with them."""

from __future__ import annotations

import pytest

from pyfix.formats import status as bits

from .conftest import TAIL, Submit, record, records

TIME = record("T", "1000000 5")
SENDER = record("S", "s@x.example")
RECIPIENT = record("R", "r@x.example")
REST = record("M") + record("N", "Received: x") + record("N", "") + TAIL


@pytest.mark.parametrize(
    ("envelope", "complaint"),
    [
        (SENDER + RECIPIENT, "missing time envelope record"),
        (TIME + RECIPIENT, "missing sender envelope record"),
        (TIME, "missing sender envelope record"),
        (TIME + RECIPIENT + SENDER, "missing sender envelope record"),
        (TIME + SENDER + SENDER + RECIPIENT, "multiple envelope sender records"),
        (TIME + record("Q", "x") + SENDER, "unexpected record type 81 in envelope"),
        (TIME + SENDER + RECIPIENT + record("X"), "unexpected record type 88 in envelope"),
        (TIME + SENDER + RECIPIENT + record("E"), "unexpected record type 69 in envelope"),
        (TIME + record("A", "foobar"), "malformed attribute: missing '=' after attribute name: foobar"),
        (TIME + record("A", "=x"), "malformed attribute: missing attribute name: =x"),
        (TIME + record("A", "rewrite_context=foo"), "bad rewriting context: foo"),
        (TIME + record("A", "trace_flags=x"), "bad TFLAG record <trace_flags=x>"),
        (TIME + record("A", "ret_flags=3"), "bad DSN RET record <ret_flags=3>"),
        (TIME + record("A", "envelope_id=a\xc3"), "bad DSN envelope ID record"),
        (record("T", "foo") + SENDER + RECIPIENT, "missing time envelope record"),
    ],
)
def test_refused(submit: Submit, envelope: bytes, complaint: str) -> None:
    outcome = submit(envelope + REST)
    assert (outcome.status, outcome.queue) == (bits.BAD, None)
    assert outcome.log == [f"warning: ID: message rejected: {complaint}", "ID: removed (canceled)"]


@pytest.mark.parametrize(
    ("before", "between", "after", "kinds", "flags"),
    [
        ("", "", "", "CTASAOR", 0),
        ("F", "", "", "CTAFSAOR", 0),
        ("I", "L", "", "CTAISLAOR", 0),
        ("", ">", "", "CTAS>AOR", 0),
        ("", "", ">", "CTASAOR>", 1),
        ("", "K", "", "CTASKAOR", 1),
        ("", "D", "", "CTASAOR", 0),
        ("", "/", "", "CTASAOR", 0),
        ("", "", "D", "CTASAOR", 0),
        ("", "W", "", "CTASWAOR", 0),
        ("", "V", "", "CTASVAOR", 0),
        ("", "", "F", "CTASAORF", 1),
        ("", "C", "", "CTASAOR", 0),
        ("T", "", "", "CTAASAOR", 0),
        ("c", "", "", "CTASAOR", 0),
    ],
)
def test_kept_in_their_order(submit: Submit, before: str, between: str, after: str, kinds: str, flags: int) -> None:
    values = {"V": "+=", "W": "5", "C": "1 2 3 4 5 0", "T": "7 8"}

    def some(letters: str) -> bytes:
        return b"".join([record(letter, values.get(letter, "v")) for letter in letters])

    outcome = submit(TIME + some(before) + SENDER + some(between) + RECIPIENT + some(after) + REST)
    assert outcome.sizes is not None
    assert outcome.kinds().partition("M")[0] == kinds
    assert outcome.sizes.flags == flags


def test_attributes_are_copied_as_they_are(submit: Submit) -> None:
    outcome = submit(TIME + record("A", "  foo  =  bar ") + record("A", b"x=y\0z") + SENDER + RECIPIENT + REST)
    assert ("A", b"  foo  =  bar ") in outcome.records
    assert ("A", b"x=y\0z") in outcome.records


def test_an_attribute_without_a_value_is_dropped(submit: Submit) -> None:
    outcome = submit(TIME + record("A", "foo=") + SENDER + RECIPIENT + REST)
    assert 'warning: ID: spurious null attribute value for "foo" -- ignored' in outcome.log
    assert outcome.kinds().startswith("CTASAOR")


def test_the_number_of_attributes_is_limited(submit: Submit) -> None:
    many = [record("A", f"x{number}=v") for number in range(100)]
    assert submit(TIME + b"".join(many[:99]) + SENDER + RECIPIENT + REST).status == 0
    outcome = submit(TIME + b"".join(many) + SENDER + RECIPIENT + REST)
    assert outcome.log[0] == "warning: ID: message rejected: attribute count exceeds limit 100"


def test_create_time_is_ours(submit: Submit) -> None:
    outcome = submit(TIME + record("A", "create_time=5") + SENDER + RECIPIENT + REST)
    assert ("A", b"create_time=5") not in outcome.records


def test_notification_attributes_belong_to_the_next_recipient(submit: Submit) -> None:
    outcome = submit(
        TIME
        + SENDER
        + records(("A", "notify_flags=8"), ("A", "dsn_orig_rcpt=rfc822;foo"), ("O", "o"), ("R", "a@b.example"))
        + records(("R", "c@d.example"))
        + REST
    )
    assert outcome.sizes is not None
    assert outcome.records[4:11] == [
        ("A", b"notify_flags=8"),
        ("A", b"dsn_orig_rcpt=rfc822;foo"),
        ("O", b"o"),
        ("R", b"a@b.example"),
        ("A", b"dsn_orig_rcpt=rfc822;c@d.example"),
        ("O", b"c@d.example"),
        ("R", b"c@d.example"),
    ]
    assert outcome.sizes.flags == 8 << 1


@pytest.mark.parametrize("value", ["0", "3", "15", "16", "-1", "x", "4x"])
def test_impossible_notify_flags_are_ignored(submit: Submit, value: str) -> None:
    outcome = submit(TIME + SENDER + record("A", f"notify_flags={value}") + RECIPIENT + REST)
    assert f"warning: ID: ignoring malformed DSN notify record <notify_flags={value}>" in outcome.log
    assert outcome.status == 0


def test_what_is_said_twice_about_a_recipient(submit: Submit) -> None:
    twice = records(("O", "o1"), ("O", "o2"), ("A", "notify_flags=8"), ("A", "notify_flags=4"))
    outcome = submit(TIME + SENDER + twice + RECIPIENT + REST)
    assert outcome.log[:2] == [
        "warning: ID: ignoring out-of-order original recipient record <o1>",
        "warning: ID: ignoring out-of-order DSN notify record <8>",
    ]
    assert ("O", b"o2") in outcome.records
    assert ("A", b"notify_flags=4") in outcome.records


def test_a_delay_warning_is_noted_before_the_first_recipient(submit: Submit) -> None:
    outcome = submit(TIME + SENDER + RECIPIENT + REST, delay_warning_time="2h")
    assert outcome.records[4] == ("W", b"%15d" % (1000000 + 7200))
    null = submit(TIME + record("S", "") + RECIPIENT + REST, delay_warning_time="2h")
    assert "W" not in null.kinds()


@pytest.mark.parametrize(
    ("verp", "complaint"), [("ab", 'ignoring bad VERP request: "ab"'), ("+", 'ignoring bad VERP request: "+"')]
)
def test_verp_delimiters_must_be_allowed(submit: Submit, verp: str, complaint: str) -> None:
    outcome = submit(TIME + SENDER + record("V", verp) + RECIPIENT + REST)
    assert f"warning: ID: {complaint}" in outcome.log


def test_verp_needs_a_sender(submit: Submit) -> None:
    outcome = submit(TIME + record("S", "") + record("V", "+=") + RECIPIENT + REST)
    assert "warning: ID: ignoring VERP request for null sender" in outcome.log


@pytest.mark.parametrize(("options", "kept"), [(1, 1), (32, 32), (2, 0), (4, 0), (16, 0), (64, 64), (63, 33)])
def test_options_that_sendmail_asks_for(submit: Submit, options: int, kept: int) -> None:
    outcome = submit(record("C", f"-1 -1 -1 -1 -1 {options}") + TIME + SENDER + RECIPIENT + REST)
    assert outcome.sizes is not None
    assert outcome.sizes.options == kept


def test_flags_that_clients_may_not_set(submit: Submit) -> None:
    outcome = submit(TIME + SENDER + record("f", "256") + RECIPIENT + REST)
    assert outcome.log[0] == "warning: ID: ignoring bad extra flags: 0x100"


def test_addresses_end_at_a_nul_byte(submit: Submit) -> None:
    outcome = submit(TIME + record("S", b"a@b.example\0c") + record("R", b"d@e.example\0f") + REST)
    assert ("S", b"a@b.example") in outcome.records
    assert ("R", b"d@e.example") in outcome.records
