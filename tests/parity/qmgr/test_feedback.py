"""What the log tells of destinations' windows, with destination_concurrency_feedback_debug.

Source: postconf(5) destination_concurrency_feedback_debug; SCHEDULER_README; the log lines of the reference.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.ports import ReservedPort

pytestmark = [pytest.mark.reference, pytest.mark.root]

MESSAGES = {"disc.example": 16, "down.example": 12, "wrong.example": 1, "virt.example": 1, "last.disc.example": 1}
"""Domains, one message each, and its recipients, two of them a delivery."""
RULES: dict[str, dict[str, str]] = {
    "as shipped": {},
    "by the window": {
        "default_destination_concurrency_positive_feedback": "0.3 / concurrency",
        "discard_destination_concurrency_negative_feedback": "0.5 / sqrt_concurrency",
        "smtp_destination_concurrency_negative_feedback": "1/concurrency",
        "default_destination_concurrency_failed_cohort_limit": "10",
        "initial_destination_concurrency": "4",
    },
    "by numbers": {
        "default_destination_concurrency_positive_feedback": "0.3",
        "default_destination_concurrency_negative_feedback": "0.7",
        "default_destination_concurrency_failed_cohort_limit": "0",
        "default_destination_concurrency_limit": "6",
    },
    "off": {"destination_concurrency_feedback_debug": "no"},
}


@pytest.mark.parametrize("manager", ["qmgr", "oqmgr"])
@pytest.mark.parametrize("rules", RULES)
def test_feedback(parity: Parity, rules: str, manager: str) -> None:
    """Deliveries that succeed, destinations that are not there, and what bounces."""

    def case(mta: Instance) -> list[str]:
        for domain, count in MESSAGES.items():
            if rules == "as shipped" and domain == "disc.example":
                count = 2  # how far the window grows depends on how many are busy
            queue_id = mta.send_message([f"x{number}@{domain}" for number in range(count)], sender="")
            mta.wait_for_log(rf"{queue_id}: to=<", count=count)
            mta.settle()
        lines = [line.partition("]: ")[2] for line in mta.log_lines() if "qmgr[" in line]
        return [line for line in lines if "feedback" in line or "window" in line]

    port = ReservedPort()
    main = {
        "default_destination_recipient_limit": "2",
        "smtpd_reject_unlisted_recipient": "no",
        "destination_concurrency_feedback_debug": "yes",
        "transport_maps": "inline:{{disc.example=discard:gone}, {last.disc.example=discard:once}, {wrong.example=error:5.1.1 no}, "
        "{virt.example=virtual:}, "
        f"{{down.example=smtp:[127.0.0.9]:{port.number}}}}}",
        **RULES[rules],
    }
    try:
        seen = parity(case, main=main, master={"qmgr": f"qmgr unix n - n 300 1 {manager}"}, fresh=True)
    finally:
        port.release()
    assert bool(seen.result) == (rules != "off")
