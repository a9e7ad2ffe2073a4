"""BDAT chunks that are refused: what is said of each, how much of them is read, and what comes after them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import CLOSED, Dialogue, Line, Raw
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import LENIENT

pytestmark = [pytest.mark.reference, pytest.mark.root]

ENVELOPE = b"MAIL FROM:<a@x.test>\r\nRCPT TO:<user@ours.example>\r\n"
BEFORE = {
    "nothing": b"",
    "EHLO": b"EHLO c\r\n",
    "MAIL": b"EHLO c\r\nMAIL FROM:<a@x.test>\r\n",
    "a refused RCPT": b"EHLO c\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<x@elsewhere.example>\r\n",
    "RCPT": b"EHLO c\r\n" + ENVELOPE,
    "a message": b"EHLO c\r\n" + ENVELOPE + b"DATA\r\nx\r\n.\r\n",
    "a chunk": b"EHLO c\r\n" + ENVELOPE + b"BDAT 3\r\naaa",
}


def chunk(size: int, last: str = "") -> bytes:
    return b"BDAT %d%b\r\n%b" % (size, last.encode(), b"a" * size)


LAST = " LAST"
CHUNKS = [
    chunk(5), chunk(5, LAST), chunk(5) + chunk(5), chunk(5) + chunk(5, LAST), chunk(5, LAST) * 2, chunk(0), chunk(0, LAST),
    chunk(0) + chunk(5) + chunk(5, LAST), chunk(1500), chunk(1500, " last"), b"BDAT 10\r\nabc", b"BDAT\r\n" * 3 + chunk(5),
    chunk(5) + b"RSET\r\n" + chunk(5), chunk(5) + b"DATA\r\n" + ENVELOPE, b"BDAT x\r\n", b"BDAT 5 x\r\nabcde", b"BDAT -5\r\nabc",
    b"BDAT 9223372036854775808\r\n", b"BDAT 5 LAST x\r\nabcde", b"BDAT +5\r\nabcde", b"BDAT <5>\r\nabcde", b"BDAT 05\r\nabcde",
]  # fmt: skip
SMALL = LENIENT | {"message_size_limit": "1000", "mailbox_size_limit": "0", "virtual_mailbox_limit": "0"}


@pytest.fixture
def both(instance_pool: InstancePool) -> Parity:
    requirements.need_reference("reference")
    return Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))


def everything(client: Dialogue) -> list[str]:
    said = [client.reply()]
    while CLOSED not in said[-1]:
        said.append(client.reply())
    return said


@pytest.mark.parametrize("pipelining", ["yes", "no"])
def test_each_after_each(both: Parity, pipelining: str) -> None:
    """All of it sent at once, with a client that then says no more."""

    def case(mta: Any) -> None:
        for name, before in BEFORE.items():
            for chunks in CHUNKS:
                mta.transcript.append(f"== {name}, {chunks[:40]!r}")
                mark = mta.log_mark()
                with mta.connect(STRANGER) as client:
                    client.send(before + chunks + b"NOOP\r\n")
                    client.socket.shutdown(1)
                    mta.transcript += everything(client)
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
                mta.transcript += [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]

    both(case, main=SMALL | {"smtpd_forbid_unauth_pipelining": pipelining}, replace={"smtpd": "pyfix"}, fresh=True)


def wanted(*sizes: int | str) -> list[Line]:
    return [size if isinstance(size, str) else Raw(chunk(size), 1) for size in sizes]


BEGUN: list[Line] = ["EHLO c", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]
SEQUENCES: list[list[Line]] = [
    # Of a refused message half as much again is read as a message may have; the division rounds.
    *[["EHLO c", *wanted(first, last)] for first in (3, 4, 5, 1000) for last in (1500 - first, 1501 - first)],
    ["EHLO c", *wanted(500, 500, 500)], ["EHLO c", *wanted(5, 5, 1490)], [*BEGUN, *wanted(500, 1500)], [*BEGUN, *wanted(500, 1501)],
    [*BEGUN, Raw(b"BDAT 900\r\n" + b"a\r\n" * 300, 1), *wanted(601)], [*BEGUN, Raw(chunk(1501, LAST), 1)],
    # Lines are counted when they are whole, or as long as line_length_limit.
    *[[*BEGUN, *wanted(800, 800, size, 1, "NOOP"), Raw(chunk(1, LAST), 1)] for size in (446, 447, 448, 449, 800)],
    [*BEGUN, *wanted(800, 800, 800, "MAIL FROM:<b@x.test>", "RCPT TO:<user@ours.example>", "DATA", 5, 0, 700, 800)],
    [*BEGUN, *wanted(800, 800, 800, "RSET"), *BEGUN[1:], Raw(chunk(5, LAST), 1)],
    [*BEGUN, *wanted(800, 800, 800, "VRFY x@relay.example", "EHLO d"), *BEGUN[1:], Raw(chunk(5, LAST), 1)],
    [*BEGUN, *wanted(800, 800, 800)], [*BEGUN, *wanted(800, 800, 800, "QUIT")], [*BEGUN, *wanted(800, 800), Raw(chunk(800, LAST), 1)],
]  # fmt: skip


@pytest.mark.parametrize("hard_limit", ["1000", "1"])
def test_sequences(both: Parity, hard_limit: str) -> None:
    """One after the other, by a client that waits for each reply and leaves after the last."""

    def case(mta: Any) -> None:
        for lines in SEQUENCES:
            mta.transcript.append("== " + ", ".join(str(line)[:24] for line in lines[1:]))
            mark = mta.log_mark()
            with mta.connect(STRANGER) as client:
                for line in lines:
                    mta.transcript += client.say(line)
                    if CLOSED in mta.transcript[-1]:
                        break
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            mta.transcript += [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]

    both(case, main=SMALL | {"smtpd_hard_error_limit": hard_limit}, replace={"smtpd": "pyfix"}, fresh=True)
