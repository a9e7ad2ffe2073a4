"""Limits by client: at which connection, message, recipient or AUTH they begin, and what is said and logged then."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import Dialogue
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

OPEN, QUIT, LEAVE, WAIT = "open", "quit", "leave", "wait"
ONCE = [OPEN, QUIT]
MAIL = ["MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>", "RCPT TO:<user@ours.example>", "RSET"]
LENIENT = {"smtpd_hard_error_limit": "1000", "smtpd_error_sleep_time": "0", "notify_classes": ""}
CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "connections": (
        {"smtpd_client_connection_count_limit": "2"},
        [*[OPEN] * 4, QUIT, QUIT, LEAVE, LEAVE, *ONCE, *ONCE, OPEN, OPEN, OPEN],
    ),
    "both": ({"smtpd_client_connection_count_limit": "1", "smtpd_client_connection_rate_limit": "1"}, [OPEN] * 3),
    "rate of connections": ({"smtpd_client_connection_rate_limit": "2"}, ONCE * 4),
    "in two units of time": (
        {
            "smtpd_client_connection_rate_limit": "2", "smtpd_client_message_rate_limit": "2",
            "smtpd_client_recipient_rate_limit": "3", "anvil_rate_time_unit": "2s",
        },
        [*ONCE * 3, WAIT, OPEN, *MAIL * 3, OPEN, OPEN, WAIT, OPEN, *MAIL],
    ),
    "messages": (
        {"smtpd_client_message_rate_limit": "2"},
        [OPEN, "MAIL FROM:<a b>", "MAIL", *MAIL * 3, "MAIL FROM:<a@b> FOO", QUIT, OPEN, *MAIL],
    ),
    "recipients": (
        {"smtpd_client_recipient_rate_limit": "3"},
        [OPEN, *MAIL * 2, MAIL[0], "RCPT TO:<x y>", "RCPT TO:<x@elsewhere.example>", "RCPT"],
    ),
    "AUTH": (
        {"smtpd_client_auth_rate_limit": "1", "smtpd_client_new_tls_session_rate_limit": "1", "smtpd_helo_required": "yes"},
        [OPEN, "AUTH PLAIN AAA", "AUTH PLAIN AAA", "EHLO c", "AUTH", "STARTTLS", "STARTTLS"],
    ),
    "excepted": (
        {"smtpd_client_connection_rate_limit": "1", "smtpd_client_event_limit_exceptions": "127.0.0.0/8"}, ONCE * 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("anvil", ["reference", "pyfix"])
def test_thresholds(instance_pool: InstancePool, name: str, anvil: str) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))
    main, steps = CASES[name]

    def case(mta: Any) -> None:
        mark = mta.log_mark()
        clients: list[Dialogue] = []
        opened = closed = 0
        for step in steps:
            mta.transcript.append(f"> {step}")
            if step == OPEN:
                clients.append(Dialogue(mta.host, mta.port, STRANGER))
                mta.transcript.append(clients[-1].greeting)
                opened += 1
            elif step == WAIT:
                # Rates begin anew with what is counted after the unit, which began with the first connection.
                time.sleep(3.1)
            elif step in (QUIT, LEAVE):
                client = clients.pop(0)
                mta.transcript += client.say("QUIT") if step == QUIT else []
                client.close()
                closed += 1
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark, count=closed)
            else:
                mta.transcript += clients[-1].say(step)
        while clients:
            clients.pop().close()
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark, count=opened)
        # Sessions side by side are several processes there, and lines of one have no place among another's.
        mta.transcript += sorted(line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line)

    replace = {"smtpd": "pyfix"} | ({"anvil": "pyfix"} if anvil == "pyfix" else {})
    parity(case, main=LENIENT | main, replace=replace, fresh=True)
