"""Process limits, failures, throttling, stress, wakeups.  Source: master(8), master(5), STRESS_README."""

from __future__ import annotations

import os
import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

from .probing import FILES, PROGRAM, QUICK, Visitor, master_lines, starts, visit

pytestmark = [pytest.mark.reference, pytest.mark.root]

OTHERS = {"flush": None, "tlsmgr": None}


@pytest.mark.parametrize("order", ["x3", "k9"])
def test_failed_start_is_throttled(parity: Parity, order: str) -> None:
    """A process that fails before it was of use makes its service rest for service_throttle_time."""

    def case(mta: Instance) -> list[object]:
        visitor = Visitor(mta, "public/probe")
        visitor.report()
        begin = time.monotonic()
        visitor.order(order)
        report = visit(mta, "public/probe")
        rested = time.monotonic() - begin > 0.8
        return [rested, bool(report), master_lines(mta)[:2]]

    result = parity(
        case, main=QUICK, master={**OTHERS, "p": f"probe unix n - n - 1 {PROGRAM}"}, files=FILES, fresh=True
    ).result
    assert result[0] is True
    assert "bad command startup -- throttling" in result[2][1]


def test_failure_after_use_is_not_throttled(parity: Parity) -> None:
    """A process that was available again before it fails does not stop its service."""

    def case(mta: Instance) -> list[object]:
        visitor = Visitor(mta, "public/probe")
        visitor.report()
        for order in ("t", "a", "x3"):
            visitor.order(order)
        visit(mta, "public/probe")
        return master_lines(mta)

    parity(case, main={"service_throttle_time": "100s"}, master={**OTHERS, "p": f"probe unix n - n - 1 {PROGRAM}"}, files=FILES, fresh=True)


def test_missing_program(parity: Parity) -> None:
    """A program that is not there: the child says so, and the service is throttled."""

    def case(mta: Instance) -> list[str]:
        visitor = Visitor(mta, "public/probe")
        assert not visitor.is_served()
        mta.wait_for_log("bad command startup")
        return [line.replace(str(mta.daemon_directory), "<DAEMONS>") for line in master_lines(mta)[:3]]

    parity(case, master={**OTHERS, "p": "probe unix n - n - 1 nosuchprogram"}, files=FILES, fresh=True)


def test_limit_and_status_messages(parity: Parity) -> None:
    """A new process is started when all are taken, up to the limit; one that is available again is enough."""

    def case(mta: Instance) -> list[object]:
        happened: list[object] = []
        first = Visitor(mta, "public/probe")
        happened.append(first.is_served())
        first.order("t")
        second = Visitor(mta, "public/probe")
        happened.append(second.is_served())
        second.order("t")
        third = Visitor(mta, "public/probe")
        happened.append(third.is_served())  # two is the limit
        first.order("a")
        first.close()
        happened.append(third.is_served())
        happened.append(len(starts(mta)))
        second.close()
        third.close()
        return happened

    result = parity(case, master={"p": f"probe unix n - n - 2 {PROGRAM}"}, files=FILES, fresh=True).result
    assert result == [True, True, False, True, 2]


def test_stress(parity: Parity) -> None:
    """At the limit master says so once, ends the others at their convenience, and starts processes with stress=yes."""

    def case(mta: Instance) -> list[object]:
        first = Visitor(mta, "public/probe")
        happened: list[object] = [first.report()["arguments"]]
        first.order("t")
        second = Visitor(mta, "public/probe")
        happened.append(second.report()["arguments"])
        second.order("t")
        third = Visitor(mta, "public/probe")
        happened.append(third.is_served())
        first.close()  # its status channel has ended: it goes, and another one takes the third client
        happened.append(third.report()["arguments"])
        second.close()
        third.close()
        return [happened, master_lines(mta)]

    result = parity(case, master={**OTHERS, "p": f"probe pass n - n - 2 {PROGRAM}"}, files=FILES, fresh=True).result
    assert "stress=yes" in result[0][1]
    assert "stress=yes" not in result[0][0]
    assert len([line for line in result[1] if "has reached its process limit" in line]) == 1


def test_wakeups(parity: Parity) -> None:
    """A service is woken at once and then again and again; with a question mark only after its first use."""

    def case(mta: Instance) -> list[object]:
        wait_until(lambda: len(starts(mta)) >= 2, 5)
        before = sorted(starts(mta))
        visit(mta, "public/asked")
        wait_until(lambda: len(starts(mta)) >= 3, 5)
        return [before, sorted(starts(mta))]

    master = {
        "always": f"always unix n - n 1 1 {PROGRAM} always",
        "often": f"often fifo n - n 1 1 {PROGRAM} die",
        "asked": f"asked unix n - n 1? 1 {PROGRAM} asked",
    }
    parity(case, main={"service_throttle_time": "100s"}, master=master, files=FILES, fresh=True)


def test_woken_service_reads_the_request(parity: Parity) -> None:
    """The request of a wakeup is W."""

    def case(mta: Instance) -> bytes:
        fd = os.open(mta.queue_directory / "public/woken", os.O_RDONLY | os.O_NONBLOCK)
        try:
            assert wait_until(lambda: bool(found := os.read(fd, 1)) and not found.strip(b"W"), 3)
        finally:
            os.close(fd)
        return b"W"

    master = {"woken": f"woken fifo n - n 1 1 {PROGRAM} die"}
    parity(case, main={"service_throttle_time": "100s"}, master=master, files=FILES, fresh=True)
