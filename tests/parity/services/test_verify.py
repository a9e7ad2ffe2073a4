"""verify answers as the reference's does, and keeps the same records."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.parity.services.asking import ask, pairs

pytestmark = [pytest.mark.reference, pytest.mark.root]
PATH = "private/verify"
MAIN = {
    "transport_maps": "inline:{{refused.example=error:5.7.1 refused}, {later.example=retry:4.3.0 later}, "
    "{gone.example=discard:}}",
    "relay_domains": "refused.example, later.example, gone.example",
}


def update(address: str, status: int, reason: str) -> list[tuple[str, str]]:
    return [("request", "update"), ("address", address), ("recipient_status", str(status)), ("reason", reason)]


def query(address: str) -> list[tuple[str, str]]:
    return [("request", "query"), ("address", address)]


@pytest.mark.parametrize("status", [0, 1, 2, 3, 9])
def test_what_was_reported_is_told(parity: Parity, status: int) -> None:
    address = f"a{status}@gone.example"
    parity(lambda mta: ask(mta, PATH, update(address, status, "some text: with colon"), query(address)), main=MAIN)


@pytest.mark.parametrize("second", [0, 1, 2])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_later_reports(parity: Parity, first: int, second: int) -> None:
    address = f"b{first}{second}@gone.example"
    requests = update(address, first, "one"), query(address), update(address, second, "two"), query(address)
    parity(lambda mta: ask(mta, PATH, *requests), main=MAIN)


@pytest.mark.parametrize("request_", ["request=bogus", "request=update address=x@y recipient_status=9 reason=x"])
def test_what_is_refused(parity: Parity, request_: str) -> None:
    parity(lambda mta: ask(mta, PATH, pairs(request_), pairs(request_)), main=MAIN)


@pytest.mark.parametrize(
    "address", ["a@refused.example", "a@later.example", "a@gone.example", "user@ours.example", "no@ours.example"]
)
def test_probes(parity: Parity, address: str) -> None:
    def case(mta: Instance) -> list[object]:
        first = ask(mta, PATH, query(address))[1]
        seen = [first]

        def settled() -> bool:
            seen[:] = [ask(mta, PATH, query(address))[1]]
            return b"recipient_status\x003\x00" not in seen[0]

        return [first, wait_until(settled, 10), *seen]

    parity(case, main=MAIN, fresh=True)


def test_log_of_a_probe(parity: Parity) -> None:
    def case(mta: Instance) -> list[str]:
        ask(mta, PATH, query("a@gone.example"))
        mta.wait_for_log("status=deliverable")
        mta.settle()
        lines = [re.sub(r"^.*?: ", "", line) for line in mta.log_lines() if "delays=" in line or "from=" in line]
        return sorted(re.sub(r"\b[0-9A-F]{9,}\b|delays?=[\d./]+", "*", line) for line in lines)

    parity(case, main=MAIN, fresh=True)


def test_many_queries_send_one_probe(parity: Parity) -> None:
    def case(mta: Instance) -> int:
        ask(mta, PATH, *[query("a@later.example")] * 5)
        mta.wait_for_log("status=")
        mta.settle()
        return len([line for line in mta.log_lines() if " from=<" in line])

    parity(case, main=MAIN, fresh=True)


@pytest.mark.parametrize("sender", ["$double_bounce_sender", "<>", "", "postmaster", "x@y.example"])
def test_sender_of_probes(parity: Parity, sender: str) -> None:
    def case(mta: Instance) -> str:
        ask(mta, PATH, query("a@gone.example"))
        return mta.wait_for_log(r" from=<([^>]*)>")[1]

    parity(case, main={**MAIN, "address_verify_sender": sender, "myorigin": "origin.example"}, fresh=True)


@pytest.mark.parametrize(("number", "rest"), [(signal.SIGTERM, 0.0), (signal.SIGKILL, 1.0)], ids=["terminated", "killed"])
def test_nothing_is_forgotten(parity: Parity, number: int, rest: float) -> None:
    """Results that came just before the process ended are known to the next one."""

    def case(mta: Instance) -> object:
        addresses = [f"e{index}@gone.example" for index in range(3)]
        ask(mta, PATH, *[update(address, 0, "text of " + address) for address in addresses])
        time.sleep(rest)
        (pid,) = mta.pids_of("verify")
        os.kill(pid, number)
        assert wait_until(lambda: pid not in mta.pids(), 5)
        return ask(mta, PATH, *[query(address) for address in addresses])

    assert "text of e2@gone.example" in str(parity(case, main=MAIN, fresh=True).result)
