"""Headers that are added to mail from here."""

from __future__ import annotations

import re

import pytest

from .conftest import ENVELOPE, Submit, message, records

REMOTE = records(("T", "1000000 5"), ("A", "rewrite_context=remote"), ("S", "s@client.example"))


def test_what_is_missing_is_added(submit: Submit) -> None:
    outcome = submit(message(b"Subject: x\n\nbody\n"))
    content = outcome.content()
    assert content[:2] == [b"Received: by here", b"Subject: x"]
    assert re.fullmatch(rb"Message-Id: <\d{14}\.\w+@mail\.ours\.example>", content[2])
    assert re.fullmatch(rb"Date: Mon, 12 Jan 1970 \d\d:46:40 [+-]\d{4} \(.+\)", content[3])
    assert content[4:] == [b"From: s@client.example", b"", b"body"]
    value = content[2].partition(b": ")[2]
    assert ("A", b"message_id=" + value) in outcome.records
    assert outcome.log == [f"ID: message-id={value.decode()}".replace(outcome.queue_id, "ID")]


def test_a_long_queue_id_needs_no_time_beside_it(submit: Submit) -> None:
    outcome = submit(message(b"\nbody\n"), long_ids=True)
    assert outcome.content()[1] == f"Message-Id: <{outcome.queue_id}@mail.ours.example>".encode()


def test_resent_headers_are_added_to_resent_mail(submit: Submit) -> None:
    outcome = submit(message(b"Resent-To: x@y.example\nFrom: a@b.example\n\nbody\n"))
    names = [line.partition(b":")[0] for line in outcome.content()]
    assert names[1:6] == [b"Resent-To", b"From", b"Resent-Message-Id", b"Resent-Date", b"Resent-From"]
    assert [line.partition("=")[0] for line in outcome.log] == ["ID: resent-message-id", "ID: message-id"]


def test_nothing_is_added_to_remote_mail_unless_told(submit: Submit) -> None:
    assert submit(message(b"\nbody\n", envelope=REMOTE)).content() == [b"Received: by here", b"", b"body"]
    always = submit(message(b"\nbody\n", envelope=REMOTE), always_add_missing_headers="yes")
    assert len(always.content()) == 6


@pytest.mark.parametrize(
    ("sender", "name", "written"),
    [
        ("", "", [b"From: MAILER-DAEMON"]),
        ("a b@c.example", "", [b'From: "a b"@c.example']),
        ("s@x.example", "Full Name", [b"From: Full Name <s@x.example>"]),
        ("s@x.example", "a.b", [b'From: "a.b" <s@x.example>']),
        ("s@x.example", "\u00e9 x", [b"From: =?utf-8?Q?=C3=A9_x?= <s@x.example>"]),
        ("s@x.example", "x" * 60, [b"From: " + b"x" * 60, b"\t<s@x.example>"]),
    ],
)
def test_from(submit: Submit, sender: str, name: str, written: list[bytes]) -> None:
    envelope = records(("T", "1 1"), ("F", name), ("S", sender))
    content = submit(message(b"Date: d\nMessage-Id: <x@y>\n\nbody\n", envelope=envelope)).content()
    assert content[3 : content.index(b"")] == written


def test_from_in_the_old_form(submit: Submit) -> None:
    envelope = records(("T", "1 1"), ("F", "A (B"), ("S", "s@x.example"))
    outcome = submit(message(b"\nbody\n", envelope=envelope), header_from_format="obsolete")
    assert b"From: s@x.example (A (B))" in outcome.content()


@pytest.mark.parametrize(
    ("given", "added"),
    [(b"", True), (b"Bcc: x@y.example\n", True), (b"Cc: x@y.example\n", False), (b"Resent-To: x@y.example\n", False)],
)
def test_undisclosed_recipients(submit: Submit, given: bytes, added: bool) -> None:
    outcome = submit(message(given + b"\nbody\n"), undisclosed_recipients_header="To: undisclosed-recipients:;")
    assert (b"To: undisclosed-recipients:;" in outcome.content()) is added


def test_an_undisclosed_recipients_header_that_is_none(submit: Submit) -> None:
    outcome = submit(message(b"\nbody\n"), undisclosed_recipients_header="foo bar")
    assert (
        'warning: bad undisclosed_recipients_header header text "foo bar" -- need "headername: headervalue"'
        in outcome.log
    )


def test_require_tls_is_recorded(submit: Submit) -> None:
    outcome = submit(message(b"\nbody\n", envelope=ENVELOPE), flags=1024)
    assert b"Require-TLS-ESMTP: yes" in outcome.content()
    there = submit(message(b"Require-TLS-ESMTP: yes\n\nbody\n"), flags=1024)
    assert there.content().count(b"Require-TLS-ESMTP: yes") == 1
    unwanted = submit(message(b"\nbody\n"), flags=1024, requiretls_esmtp_header="no")
    assert b"Require-TLS-ESMTP: yes" not in unwanted.content()


@pytest.mark.parametrize("seconds", ["9223372036854775807", "-9223372036854775808", "67768036191676800"])
def test_a_time_that_no_calendar_has(submit: Submit, seconds: str) -> None:
    outcome = submit(message(b"\nbody\n", envelope=records(("T", seconds), ("S", "s@x"))))
    assert (outcome.status, outcome.queue) == (1, None)
    assert "warning: ID: message rejected: time envelope record beyond all calendars" in outcome.log
