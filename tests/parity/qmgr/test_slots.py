"""The order in which the scheduler lets jobs pass, by each of its parameters.

Every set of parameters has a transport of its own, whose first delivery waits until all messages are in the active queue;
from there on the order is the scheduler's, whatever the machine does.  Source: SCHEDULER_README; postconf(5)
default_delivery_slot_cost, default_delivery_slot_loan, default_delivery_slot_discount, default_minimum_delivery_slots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

SCRIPT = """#!/bin/sh
while [ ! -e {gate} ]; do sleep 0.05; done
echo "$# at once"
"""
SLOTS: dict[str, dict[str, str]] = {
    "usual": {},
    "no passing": {"delivery_slot_cost": "0"},
    "cheap": {"delivery_slot_cost": "2"},
    "dear": {"delivery_slot_cost": "8"},
    "no loan": {"delivery_slot_loan": "0"},
    "much loan": {"delivery_slot_loan": "30"},
    "no discount": {"delivery_slot_discount": "0"},
    "all discounted": {"delivery_slot_discount": "100"},
    "nothing for nothing": {"delivery_slot_discount": "0", "delivery_slot_loan": "0"},
    "a high minimum": {"minimum_delivery_slots": "20"},
    "no minimum": {"minimum_delivery_slots": "0", "delivery_slot_loan": "0", "delivery_slot_discount": "0"},
}
LARGE, SMALL = 80, 8
"""Recipients of the message that is there first, and of each that comes behind it.

Those are of one size, as who has waited how long for its size, in seconds, decides between others.
"""


def _orders(parity: Parity, rows: Mapping[str, Mapping[str, str]], jobs: Sequence[tuple[str, int]], main: Mapping[str, str]) -> dict[str, str]:
    """Send the *jobs* through a transport for each row; return the deliveries of each, in their order, as pyfix had them."""

    def case(mta: Instance) -> str:
        gate = mta.directory / "etc" / "gate"
        gate.unlink(missing_ok=True)
        script = mta.directory / "etc" / "deliver"
        script.write_text(SCRIPT.replace("{gate}", str(gate)))
        script.chmod(0o755)
        names: dict[str, str] = {}
        for job, count in jobs:
            for number in range(len(rows)):
                queue_id = mta.send_message([f"{place}@t{number}.example" for place in range(count)], sender="")
                names[queue_id] = job
                mta.wait_for_log(rf"{queue_id}: from=.*queue active", 60)
        gate.touch()
        mta.wait_for_log(": removed", 120, count=len(names))
        found: dict[str, list[str]] = {name: [] for name in rows}
        for line in mta.log_lines():
            if one := re.search(r"pipe\[\d+\]: (\w+): to=<(\d+)@t(\d+)\.example>.*\((\d+) at once\)", line):
                found[list(rows)[int(one[3])]].append(f"{names[one[1]]} {one[2]} of {one[4]}")
        return "\n".join(f"{name}: {', '.join(order)}" for name, order in found.items())

    settings = {f"t{number}_{key}": value for number, row in enumerate(rows.values()) for key, value in row.items()}
    routes = ", ".join(f"{{t{number}.example=t{number}:}}" for number in range(len(rows)))
    settings |= {f"t{number}_{key}": value for key, value in main.items() for number in range(len(rows))}
    services: dict[str, str | None] = {
        f"t{number}": f"t{number} unix - n n - 1 pipe flags= user=nobody argv={{dir}}/etc/deliver ${{recipient}}" for number in range(len(rows))
    }
    settings |= {"smtpd_reject_unlisted_recipient": "no", "transport_maps": f"inline:{{{routes}}}", "enable_long_queue_ids": "no"}
    seen = parity(case, main=settings, master=services, fresh=True).result
    return dict(line.split(": ", 1) for line in str(seen).splitlines())


def _differ(found: Mapping[str, str], *names: str) -> bool:
    """Tell whether each of these rows has an order of its own."""
    return len({found[name] for name in names}) == len(names)


def test_who_passes(parity: Parity) -> None:
    rules = {"destination_concurrency_limit": "1", "initial_destination_concurrency": "1", "destination_recipient_limit": "2"}
    found = _orders(parity, SLOTS, [("first", LARGE), ("second", SMALL), ("third", SMALL), ("fourth", SMALL)], rules)
    assert _differ(found, "usual", "no passing", "cheap", "dear", "no loan", "no discount", "nothing for nothing"), found
    assert found["a high minimum"] == found["no passing"]
