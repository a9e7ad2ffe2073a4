"""Limits of the active queue, and warnings about what fills it.

Source: postconf(5) qmgr_message_active_limit, qmgr_message_recipient_limit, qmgr_clog_warn_time.
"""

from __future__ import annotations

import fcntl
import os
import re

import pytest

from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

_SMALL = {
    "qmgr_message_active_limit": "10",
    "qmgr_message_recipient_limit": "10",
    "virtual_mailbox_lock": "fcntl",
    "deliver_lock_delay": "1s",
    "deliver_lock_attempts": "50",
}


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({}, "reduce virtual connect"),
        ({"virtual_destination_concurrency_limit": "1"}, "virtual_destination_concurrency_limit from 1"),
        ({"initial_destination_concurrency": "15"}, "qmgr_message_active_limit from 10"),
        ({"qmgr_clog_warn_time": "0"}, ""),
        ({"helpful_warnings": "no"}, ""),
    ],
    ids=["timeouts", "concurrency", "active", "none", "unhelpful"],
)
def test_a_full_active_queue(parity: Parity, settings: dict[str, str], advice: str) -> None:
    """No more than ten messages are active; when most are for one destination, the log says so once."""

    def case(mta: Instance) -> object:
        box = mta.mail_directory / "mbox"
        box.touch()
        os.chown(box, MAILBOX_OWNER, MAILBOX_OWNER)
        with box.open("ab") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            for _ in range(14):
                mta.send_message("mbox@ours.example", sender="")
            assert wait_until(lambda: len(mta.queue().get("active", ())) == 10, 10)
            mta.settle(1.0)
            there = {queue: len(ids) for queue, ids in mta.queue().items()}
        mta.wait_until_empty()
        lines = [line.partition("]: ")[2] for line in mta.log_lines() if "/qmgr[" in line and "warning" in line]
        return there, [re.sub(r"using up \d+ of \d+", "using up <N> of <N>", line) for line in lines]

    seen = parity(case, main={**_SMALL, **settings}, fresh=True)
    assert advice in str(seen.result) and seen.result[0] == {"incoming": 4, "active": 10}  # type: ignore[index]  # the result of case


def test_recipients_in_memory(parity: Parity) -> None:
    """A message of more recipients than may be in memory: each gets it once."""

    def case(mta: Instance) -> object:
        recipients = [f"user{number}@disc.example" for number in range(150)]
        queue_id = mta.send_message(recipients, sender="")
        mta.wait_for_log(rf"{queue_id}: removed", seconds=30)
        found = re.findall(r"to=<(user\d+)@disc", "\n".join(mta.log_lines()))
        return len(found), len(set(found))

    main = {
        "smtpd_reject_unlisted_recipient": "no",
        "transport_maps": "inline:{{disc.example=discard:gone}}",
        "qmgr_message_active_limit": "5",
        "qmgr_message_recipient_limit": "20",
        "qmgr_message_recipient_minimum": "7",
        "default_recipient_limit": "20",
        "default_recipient_refill_limit": "5",
    }
    assert parity(case, main=main).result == (150, 150)
