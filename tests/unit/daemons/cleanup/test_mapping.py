"""Where canonical maps and masquerading take hold of a message."""

from __future__ import annotations

import pytest

from pyfix.formats import status as bits
from pyfix.protocols.internal.cleanup import MAP_OK

from .conftest import Submit, message, records

CANONICAL = "inline:{{s@client.example=sender@new.example}, {user@ours.example=\"r x\"@new.example}, {f@x.example=g@x.example}}"
TEXT = message(b'From: f@x.example\nTo: "F x" <f@x.example>, other@x.example\nMessage-Id: <x@y>\nDate: d\n\nf@x.example\n')


def test_envelope_and_header(submit: Submit) -> None:
    outcome = submit(TEXT, flags=MAP_OK, canonical_maps=CANONICAL)
    assert ("S", b"sender@new.example") in outcome.records
    assert ("R", b"r x@new.example") in outcome.records and ("O", b"user@ours.example") in outcome.records
    content = outcome.content()
    assert b"From: g@x.example" in content
    assert b'To: "F x" <g@x.example>, other@x.example' in content
    assert content[-1] == b"f@x.example", "the body stays"


def test_mail_that_is_not_to_be_mapped(submit: Submit) -> None:
    outcome = submit(TEXT, flags=0, canonical_maps=CANONICAL)
    assert ("S", b"s@client.example") in outcome.records and b"From: f@x.example" in outcome.content()


def test_classes_of_headers(submit: Submit) -> None:
    outcome = submit(TEXT, flags=MAP_OK, sender_canonical_maps=CANONICAL)
    content = outcome.content()
    assert b"From: g@x.example" in content and b'To: "F x" <f@x.example>, other@x.example' in content


def test_masquerading_comes_after_the_maps(submit: Submit) -> None:
    outcome = submit(TEXT, flags=MAP_OK, canonical_maps="inline:{{s@client.example=s@a.b.example}}", masquerade_domains="b.example")
    assert ("S", b"s@b.example") in outcome.records


@pytest.mark.parametrize(
    ("main", "text"),
    [
        ({"canonical_maps": "fail:x"}, "warning: ID: canonical_maps map lookup problem for s@client.example"),
        ({"masquerade_domains": "example", "masquerade_exceptions": "fail:x"}, "ID: masquerade_exceptions map lookup problem"),
    ],
)
def test_tables_that_fail(submit: Submit, main: dict[str, str], text: str) -> None:
    outcome = submit(TEXT, flags=MAP_OK, **main)
    assert (outcome.status, outcome.queue) == (bits.WRITE, None)
    assert f"{text} -- message not accepted, try again later" in outcome.log


def test_warnings_name_the_message(submit: Submit) -> None:
    outcome = submit(
        message(b"\n", recipients=records(("R", "a@x.example"))), flags=MAP_OK,
        canonical_maps="inline:{{a@x.example=b@x.example, c@x.example}}",
    )  # fmt: skip
    assert "warning: ID: multi-valued canonical_maps entry for a@x.example" in outcome.log
    assert ("R", b"b@x.example") in outcome.records
