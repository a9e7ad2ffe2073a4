"""reject_unverified_sender and reject_unverified_recipient, with real probes through queue manager and delivery agents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = LENIENT | {
    "smtpd_reject_unlisted_recipient": "no",
    "smtpd_relay_restrictions": "check_client_access static:OK, reject_unauth_destination",
    "smtpd_recipient_restrictions": "reject_unverified_recipient, reject",
    "address_verify_map": "",
    "address_verify_poll_count": "1",
    "address_verify_poll_delay": "1s",
    "transport_maps": "inline:{{never.example=error:5.1.1 no such domain here}, {later.example=retry:4.3.0 come again}, "
    "{long.example=error:5.1.1 " + "x" * 300 + "}, {slow.example=nowhere:}}",
}
ADDRESSES = [
    "user@ours.example", "nobody@ours.example", "user@never.example", "user@later.example", "user@long.example", "postmaster@ours.example",
]  # fmt: skip


def recipients(mta: Instance) -> None:
    """Ask for each address twice: first nothing is known, then the outcome is."""
    for _ in range(2):
        for address in ADDRESSES:
            mta.dialogue("EHLO c.test", "MAIL FROM:<s@x.test>", f"RCPT TO:<{address}>", "QUIT")
        mta.settle()


def senders(mta: Instance) -> None:
    for _ in range(2):
        for address in ("", *ADDRESSES):
            mta.dialogue("EHLO c.test", f"MAIL FROM:<{address}>", "RCPT TO:<user@ours.example>", "QUIT")
        mta.settle()


@pytest.mark.parametrize(
    "main",
    [
        {},
        {"unverified_recipient_reject_code": "550", "unverified_recipient_defer_code": "451"},
        {"unverified_recipient_reject_code": "550", "unverified_recipient_reject_reason": "Nobody here"},
        {"unverified_recipient_tempfail_action": "defer"},
        {"unverified_recipient_reject_code": "250", "unverified_recipient_defer_code": "250"},
        {"smtpd_recipient_restrictions": "reject_unverified_recipient, permit", "smtpd_log_access_permit_actions": "static:all"},
        {"smtpd_recipient_restrictions": "warn_if_reject reject_unverified_recipient"},
        {"smtpd_recipient_restrictions": "reject_unverified_recipient"},
    ],
    ids=str,
)
def test_recipients(parity_of_smtpd: Compare, main: dict[str, str]) -> None:
    main = MAIN | main
    # Queue ids of messages and probes come in any order: log lines are compared where all is refused in the end.
    logs = "smtpd" if main["smtpd_recipient_restrictions"].endswith(", reject") else False
    parity_of_smtpd(recipients, main=main, logs=logs)


@pytest.mark.parametrize(
    "main",
    [
        {},
        {"unverified_sender_reject_code": "550", "unverified_sender_defer_code": "451", "unverified_sender_reject_reason": "who"},
        {"unverified_sender_tempfail_action": "defer"},
        {"smtpd_sender_restrictions": "reject_unverified_sender", "smtpd_recipient_restrictions": "", "smtpd_delay_reject": "no"},
    ],
    ids=str,
)
def test_senders(parity_of_smtpd: Compare, main: dict[str, str]) -> None:
    parity_of_smtpd(senders, main=MAIN | {"smtpd_recipient_restrictions": "reject_unverified_sender, reject"} | main)


def test_waiting_for_the_outcome(parity_of_smtpd: Compare) -> None:
    """A client waits some seconds for the outcome of its probe."""

    def case(mta: Instance) -> None:
        for address in ADDRESSES[:2]:
            mta.dialogue("EHLO c.test", "MAIL FROM:<s@x.test>", f"RCPT TO:<{address}>", "QUIT")

    parity_of_smtpd(case, main=MAIN | {"address_verify_poll_count": "30"}, logs=False)


def test_pyfix_from_end_to_end(parity: Parity) -> None:
    """smtpd, verify, cleanup, qmgr and the agents are all ours on one side: the same replies."""

    def case(mta: Instance) -> Any:
        recipients(mta)
        return [queue for queue, ids in mta.queue().items() if ids]

    parity(case, main=MAIN | {"unverified_recipient_reject_code": "550"})
