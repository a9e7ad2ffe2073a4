"""A message with very many recipients in the queue, and a single one that comes behind it.

Each delivery takes a second, as the server waits so long; so the times are those of the discipline, on a busy machine too.
Source: SCHEDULER_README.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.loadtools import sink
from tests.kit.parity import discard

pytestmark = [pytest.mark.reference, pytest.mark.root]

MANY = 240
MAIN = {
    "smtpd_recipient_limit": "20000", "smtpd_reject_unlisted_recipient": "no", "smtp_tls_security_level": "none",
    "slow_destination_recipient_limit": "2", "slow_destination_concurrency_limit": "10",
    "slow_initial_destination_concurrency": "10", "smtp_log_tls_feature_status": "no",
}  # fmt: skip
SLOW = "slow unix - - n - 10 smtp"


def _delay(mta: Instance, place: str, single: str) -> tuple[float, int]:
    """Return the seconds of a single message's delivery, and how many of the large one were yet to come."""
    mta.send_message([f"u{number}@{place.format(number)}" for number in range(MANY)], sender="bulk@ours.example")
    mta.wait_for_log(r": to=<u\d+@", count=20, seconds=60)
    queue_id = mta.send_message([f"single@{single}"], sender="other@ours.example")
    found = mta.wait_for_log(rf"{queue_id}: to=<single@.* delay=([\d.]+), .*status=sent", seconds=60)
    rest = MANY - sum(1 for line in mta.log_lines() if re.search(r": to=<u\d+@", line))
    return float(found[1]), rest


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("program", "place", "single"),
    [
        ("qmgr", "bulk.example", "bulk.example"),
        ("qmgr", "bulk.example", "other.example"),
        ("qmgr", "d{}.example", "other.example"),
        ("oqmgr", "bulk.example", "bulk.example"),
    ],
)
def test_a_single_message_behind_a_large_one(program: str, place: str, single: str) -> None:
    seen = {}
    with sink("pyfix", "smtp-sink", "-4", "-W", "DATA:1", "-m", "1000", host="") as server:
        routes = {"bulk.example": 1, "other.example": 2} | {f"d{number}.example": number + 3 for number in range(MANY)}
        table = ", ".join(f"{{{name}=slow:[127.0.1.{number}]:{server.port}}}" for name, number in routes.items())
        for kind in ("reference", "pyfix"):
            main = MAIN | {"transport_maps": f"inline:{{{table}}}"}
            mta = Instance(kind, main=main, master={"slow": SLOW, "qmgr": f"qmgr unix n - n 300 1 {program}"})
            try:
                mta.start()
                seen[kind] = _delay(mta, place, single)
                assert mta.pids_of(program)
            finally:
                discard(mta)
    print(f"{program}, {place} before {single}: {seen}")
    (theirs, _), (ours, rest) = seen["reference"], seen["pyfix"]
    assert ours <= theirs + 1.5
    if program == "qmgr" and place == "bulk.example":
        assert rest > MANY // 2, "the large message was nearly done"
    if program == "oqmgr":
        assert rest <= 40, "who came first goes first"
