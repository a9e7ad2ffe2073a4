"""Settings of the queue manager that do not fit each other, or that cannot be used.

Source: postconf(5) qmgr_message_recipient_limit, bounce_queue_lifetime, transport_*; the log lines of the reference.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {"smtpd_reject_unlisted_recipient": "no", "transport_maps": "inline:{{disc.example=discard:gone}}"}


def _first_words(mta: Instance) -> list[str]:
    return [line.partition("]: ")[2] for line in mta.log_lines(whole=True) if "/qmgr[" in line and "queue active" not in line]


@pytest.mark.parametrize(
    "settings",
    [
        {"qmgr_message_recipient_limit": "100", "bounce_queue_lifetime": "9d"},
        {"qmgr_message_active_limit": "30000"},
        {"maximal_queue_lifetime": "1d"},
        {"minimal_backoff_time": "600s", "maximal_backoff_time": "300s"},
    ],
    ids=["both", "active", "lifetime", "backoff"],
)
def test_limits_that_do_not_fit(parity: Parity, settings: dict[str, str]) -> None:
    def case(mta: Instance) -> list[str]:
        mta.send_message("x@disc.example", sender="")
        mta.wait_until_empty()
        return [line for line in _first_words(mta) if "removed" not in line]

    parity(case, main={**MAIN, **settings}, fresh=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("discard_destination_recipient_limit", "x"),
        ("discard_initial_destination_concurrency", "0"),
        ("discard_destination_rate_delay", "x"),
        ("discard_transport_rate_delay", "y"),
        ("discard_delivery_slot_discount", "101"),
        ("discard_destination_concurrency_limit", "99999999999"),
    ],
)
def test_a_bad_limit_of_a_transport(parity: Parity, name: str, value: str) -> None:
    """The queue manager ends over it, when the first message comes for that transport; the message stays."""

    def case(mta: Instance) -> object:
        mta.send_message("x@disc.example", sender="")
        fault = mta.wait_for_log(r"qmgr\[\d+\]: (fatal: .*)")[1]
        mta.wait_for_log(r"/qmgr pid \d+ exit status 1")
        return fault, list(mta.queue())

    parity(case, main={**MAIN, name: value, "service_throttle_time": "60s"}, fresh=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"default_destination_concurrency_positive_feedback": "7"},
        {"discard_destination_concurrency_negative_feedback": "1/foo"},
    ],
    ids=["default", "own"],
)
def test_what_does_not_end_it(parity: Parity, settings: dict[str, str]) -> None:
    def case(mta: Instance) -> list[str]:
        mta.send_message("x@disc.example", sender="")
        mta.wait_until_empty()
        return [line for line in _first_words(mta) if "removed" not in line]

    parity(case, main={**MAIN, **settings}, fresh=True)
