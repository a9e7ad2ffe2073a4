"""Clients that go too far at once: lines far longer than line_length_limit, commands before the greeting, AUTH= again and
again; and lists with restrictions that are gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import CLOSED, Dialogue
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

LIMIT = 512
COMMANDS = {
    b"NOOP": b"",
    b"EHLO c": b"",
    b"MAIL FROM:<a@x.test>": b"x",
    b"RCPT": b"",
    b"FOO": b"",
    b"QUIT": b"",
    b"BDAT": b"",
    b"\xff": b"",
}


@pytest.fixture
def both(instance_pool: InstancePool) -> Parity:
    requirements.need_reference("reference")
    return Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))


def play(mta: Any, *pieces: bytes) -> None:
    """Send pieces, each after the replies to the one before it; the last brings no more than the end."""
    mark = mta.log_mark()
    with Dialogue(mta.host, mta.port, STRANGER) as client:
        for piece in pieces:
            client.send(piece)
            mta.transcript.append(client.reply())
        if CLOSED not in mta.transcript[-1]:
            client.socket.shutdown(1)
            mta.transcript.append(client.reply())
    mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
    mta.transcript += [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]


def test_long_lines(both: Parity) -> None:
    """As much again as a line may have is skipped; behind that nothing is read."""

    def case(mta: Any) -> None:
        for command, filling in COMMANDS.items():
            for length in (LIMIT - 1, LIMIT, 2 * LIMIT - 2, 2 * LIMIT - 1, 2 * LIMIT, 3 * LIMIT):
                mta.transcript.append(f"== {command!r} {length}")
                line = command + b" " + filling * 20
                play(mta, line.ljust(length) + b"\r\n")
        play(mta, b"MAIL FROM:<a@x.test> ".ljust(2 * LIMIT))
        play(mta, b"MAIL FROM:<a@x.test>\r\n", b"NOOP ".ljust(2 * LIMIT + 1))
        for cut in ("\u00e9".encode() * 300, b"NOOP " + "\u00e9".encode() * 400, b"NOOP \x01\t" + b"x" * 600):
            play(mta, cut + b"\r\n")

    both(case, main=LENIENT | {"line_length_limit": str(LIMIT)}, replace={"smtpd": "pyfix"})


@pytest.mark.parametrize("forbidden", ["yes", "no"])
@pytest.mark.parametrize("verdict", ["reject", "warn_if_reject reject"])
def test_pipelining_is_seen_before_the_client_is_judged(both: Parity, verdict: str, forbidden: str) -> None:
    def case(mta: Any) -> None:
        play(mta, b"EHLO c\r\n", b"XCLIENT NAME=a.b\r\nRSET\r\n")

    main = {
        "smtpd_delay_reject": "no",
        "smtpd_client_restrictions": verdict,
        "smtpd_forbid_unauth_pipelining": forbidden,
    }
    both(case, main=LENIENT | main, replace={"smtpd": "pyfix"})


def test_auth_outlives_a_refused_mail(both: Parity) -> None:
    mail, rcpt = "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"
    lines = []
    for first in (
        "AUTH=a@b FOO",
        "AUTH=a@b SIZE=99999999999999",
        "AUTH=<> FOO",
        "AUTH=a@b ENVID=",
        "AUTH=a@b AUTH=c@d",
        "AUTH=<> AUTH=c",
    ):
        lines += [f"{mail} {first}", f"{mail} AUTH=<> FOO", f"{mail} SIZE=1", rcpt, "RSET", mail, rcpt, "RSET"]

    def case(mta: Any) -> None:
        play(mta, *(f"{line}\r\n".encode() for line in ("EHLO c", *lines)))

    both(case, main=LENIENT, replace={"smtpd": "pyfix"})


def test_attributes_before_a_bad_one(same_dialogue: Compare) -> None:
    lines = []
    for good in ("NAME=a.b", "ADDR=1.2.3.4", "HELO=h", "PROTO=ESMTP", "LOGIN=joe"):
        lines += [f"XCLIENT {good} x", "MAIL FROM:<a@x.test>", "RCPT TO:<x@elsewhere.example>", "RSET"]
    lines += ["XFORWARD IDENT=a NAME=+FF", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]
    same_dialogue("EHLO c", *lines, main=LENIENT, queue=True)


@pytest.mark.parametrize(
    "name",
    [
        "check_relay_domains",
        "permit_naked_ip_address",
        "reject_maps_rbl",
        "check_address_map",
        "check_address_map static:x",
    ],
)
def test_restrictions_that_are_gone(same_dialogue: Compare, name: str) -> None:
    main = LENIENT | {"smtpd_recipient_restrictions": f"{name}, permit"}
    same_dialogue("EHLO c", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>", main=main)
