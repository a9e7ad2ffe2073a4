"""showq's list is the reference's, to the byte but for ids and times."""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.parity.services.asking import Client

pytestmark = [pytest.mark.reference, pytest.mark.root]
_RECIPIENT = b"original_recipient\0"
MAIN = {
    "transport_maps": "inline:{{later.example=retry:4.3.0 later}, {wait.example=retry:4.3.0 wait for it}}",
    "relay_domains": "later.example, wait.example",
    "smtpd_reject_unlisted_recipient": "no",
    "virtual_alias_maps": "inline:{{alias@ours.example=\"a b\"@later.example}}",
}


def listing(mta: Instance) -> list[bytes]:
    seen = []
    with Client(mta, "public/showq") as client:
        while True:
            piece = client.receive()
            piece = re.sub(rb"(queue_id)\0[^\0]+", rb"\1\0<ID>", piece)
            # A file in maildrop has its time with as many digits as the microseconds need.
            piece = re.sub(rb"(queue_name\0maildrop\0.*\0size)\0\d+", rb"\1\0<SIZE>", piece)
            seen.append(in_order(re.sub(rb"(time)\0\d+", rb"\1\0<TIME>", piece)))
            if piece.endswith(b"<END>"):
                return seen


def in_order(piece: bytes) -> bytes:
    """Sort the recipients of a message: they stand as they were deferred, which two agents did at the same time."""
    start, *recipients = piece.removesuffix(b"\0").split(_RECIPIENT)
    end = b"\0" if piece.endswith(b"\0") else b""
    return _RECIPIENT.join([start, *sorted(recipients)]) + end


def test_empty_queue(parity: Parity) -> None:
    parity(listing, main=MAIN)


@pytest.mark.parametrize(
    ("sender", "recipients"),
    [
        ("<user@ours.example>", ["<a@later.example>"]),
        ("<>", ["<a@later.example>", "<b@wait.example>"]),
        ('<"x y"@ours.example>', ["<alias@ours.example>"]),
        ("<user@ours.example>", ["<user@ours.example>", "<a@later.example>"]),
    ],
)
def test_deferred(parity: Parity, sender: str, recipients: list[str]) -> None:
    def case(mta: Instance) -> list[bytes]:
        rcpt = [f"RCPT TO:{one}" for one in recipients]
        mta.dialogue("EHLO x", f"MAIL FROM:{sender}", *rcpt, "DATA", "Subject: x\r\n\r\nbody\r\n.", "QUIT", client=TRUSTED)
        mta.wait_for_log("status=", count=len(recipients))
        wait_until(lambda: list(mta.queue()) == ["deferred"], 5)
        return listing(mta)

    parity(case, main=MAIN)


@pytest.mark.parametrize("options", [["-h", "ALL"], ["-e", "ALL"]])
def test_held_and_expired(parity: Parity, options: list[str]) -> None:
    def case(mta: Instance) -> list[bytes]:
        mta.dialogue(
            "EHLO x", "MAIL FROM:<user@ours.example>", "RCPT TO:<a@later.example>", "DATA", "Subject: x\r\n\r\nbody\r\n.",
            "QUIT", client=TRUSTED,
        )  # fmt: skip
        mta.wait_for_log("status=deferred")
        wait_until(lambda: list(mta.queue()) == ["deferred"], 5)
        mta.run("postsuper", *options)
        return listing(mta)

    parity(case, main=MAIN)


def test_maildrop(parity: Parity) -> None:
    def case(mta: Instance) -> list[bytes]:
        mta.run("sendmail", "-f", "user@ours.example", "a@later.example", input=b"Subject: x\n\nbody\n")
        return listing(mta)

    parity(case, main=MAIN, master={"pickup": None})
