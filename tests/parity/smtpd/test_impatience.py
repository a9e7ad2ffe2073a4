"""Clients that are slow, silent or wrong: how long smtpd waits, what it says then, and what it logs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import Dialogue, Line
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import LENIENT

pytestmark = [pytest.mark.reference, pytest.mark.root]

BEGIN: list[Line] = ["EHLO c", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>"]
POINTS: dict[str, tuple[list[Line], bytes]] = {
    "connect": ([], b""),
    "half a command": (["EHLO c"], b"MAIL FR"),
    "HELO": (["HELO c"], b""),
    "MAIL": (BEGIN[:2], b""),
    "RCPT": (BEGIN, b""),
    "an unknown command": ([*BEGIN, "FOO"], b""),
    "RSET": ([*BEGIN, "RSET"], b""),
    "DATA": ([*BEGIN, "DATA"], b""),
    "content": ([*BEGIN, "DATA"], b"Subject: x\r\n\r\nhello\r\n"),
    "half a line": ([*BEGIN, "DATA"], b"Subject: x\r\n\r\nhello"),
    "BDAT": (BEGIN, b"BDAT 100\r\n"),
    "a chunk": (BEGIN, b"BDAT 100\r\nSubject: x\r\n\r\nhello"),
    "between chunks": ([*BEGIN, b"BDAT 4\r\na: b"], b""),
    "a message": ([*BEGIN, "DATA", b"x\r\n.\r\n"], b""),
    "a refused chunk": (["EHLO c"], b"BDAT 100\r\nSubject"),
}
Both = Callable[..., None]


@pytest.fixture
def both(instance_pool: InstancePool) -> Both:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def compare(case: Callable[[Any], object], **main: str) -> None:
        parity(case, main=LENIENT | main, replace={"smtpd": "pyfix"}, fresh=True)

    return compare


def log_of(mta: Any, mark: int) -> list[str]:
    return [
        re.sub(r"^[0-9A-F]{8,}", "ID", line.partition("]: ")[2]) for line in mta.log_lines(mark) if "/smtpd[" in line
    ]


def rest_of(client: Dialogue) -> list[str]:
    found = []
    while "<closed>" not in "".join(found):
        found.append(client.reply())
    return [re.sub(r"as [0-9A-F]{8,}", "as ID", reply) for reply in found]


@pytest.mark.parametrize("leaves", [False, True], ids=["silent", "leaving"])
def test_each_point(both: Both, leaves: bool) -> None:
    """Of a client that says no more, and of one that closes its end only, what is logged and what it is told."""

    def case(mta: Any) -> None:
        for point, (lines, rest) in POINTS.items():
            mark = mta.log_mark()
            with mta.connect(STRANGER) as client:
                for line in lines:
                    client.say(line)
                client.send(rest)
                if leaves:
                    client.socket.shutdown(1)
                mta.transcript += [f"== {point}", *rest_of(client)]
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            mta.transcript += log_of(mta, mark)

    both(case, smtpd_timeout="1s" if not leaves else "100s")


@pytest.mark.parametrize("name", ["smtpd_per_request_deadline", "smtpd_per_record_deadline"])
def test_deadlines(both: Both, name: str) -> None:
    """With a deadline a request must be complete in time, and content must come at smtpd_min_data_rate."""

    def drip(mta: Any, lines: list[Line], piece: bytes) -> object:
        mark = mta.log_mark()
        with mta.connect(STRANGER) as client:
            for line in lines:
                client.say(line)
            began = time.monotonic()
            client.socket.settimeout(0.25)
            for _ in range(24):
                client.send(piece)
                try:
                    reply = client.socket.recv(1000)
                except TimeoutError:
                    continue
                took = time.monotonic() - began
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
                return reply, 1.5 < took < 5, log_of(mta, mark)
        return "waits"

    def case(mta: Any) -> list[object]:
        return [
            drip(mta, ["EHLO c"], b"x"),
            drip(mta, [*BEGIN, "DATA"], b"x"),
            drip(mta, [*BEGIN, "DATA"], b"x" * 78 + b"\r\n"),
        ]

    both(case, smtpd_timeout="2s", smtpd_min_data_rate="100", **{name: "yes"})


def test_stress(both: Both) -> None:
    """Under stress the defaults are others: one error, one junk command, ten seconds, deadlines."""

    def case(mta: Any) -> object:
        found = []
        for lines in (["FOO", "NOOP"], ["NOOP", "NOOP", "VRFY x", "NOOP", "RSET"], ["FOO", "FOO", "FOO"]):
            mark = mta.log_mark()
            mta.dialogue(*lines, client=STRANGER)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            found.append(log_of(mta, mark))
        return found

    default = {"smtpd_hard_error_limit": "${stress?{1}:{20}}", "smtpd_junk_command_limit": "${stress?{1}:{100}}"}
    both(case, stress="yes", smtpd_timeout="${stress?{10}:{300}}s", **default)


def test_errors_cost_time(both: Both) -> None:
    """From smtpd_soft_error_limit on each command waits for smtpd_error_sleep_time; at the hard limit it is over."""

    def case(mta: Any) -> object:
        found: list[object] = []
        mark = mta.log_mark()
        with mta.connect(STRANGER) as client:
            for line in ("FOO", "NOOP", "FOO", "NOOP", "RSET", *BEGIN, "DATA", b".\r\n", *["FOO"] * 3, "DATA", "FOO"):
                began = time.monotonic()
                (reply,) = client.say(line)
                found.append((reply.partition(" as ")[0], time.monotonic() - began >= 0.9))
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
        return found, log_of(mta, mark)

    both(case, smtpd_soft_error_limit="2", smtpd_hard_error_limit="4", smtpd_error_sleep_time="1s")
