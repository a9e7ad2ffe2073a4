"""Times: when a message is tried again, how long it stays, and the delays that the log tells.

Source: postconf(5) minimal_backoff_time, maximal_backoff_time, queue_run_delay, bounce_queue_lifetime,
delay_logging_resolution_limit.
"""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.kit import spool
from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": "inline:{{later.example=retry:4.4.1 not now}, {disc.example=discard:gone}}",
}


def _make_older(mta: Instance, queue_id: str, begin: bytes, seconds: int) -> None:
    """Let a deferred message have come *seconds* ago, according to the record that begins with *begin*."""
    path = mta.spool_file(queue_id)
    data = path.read_bytes()
    at = data.index(begin) + len(begin)
    data = data[:at] + b"%d" % (int(time.time()) - seconds) + data[at + 10 :]
    path.write_bytes(data)


@pytest.mark.parametrize(("begin", "waits"), [(b"create_time=", [100, 150, 200]), (None, [100, 100, 100])])
def test_backoff(parity: Parity, begin: bytes | None, waits: list[int]) -> None:
    """A message waits as long as it is in the queue, but not less or more than the limits; its arrival does not count."""

    def case(mta: Instance) -> list[int]:
        found = []
        for age in (0, 150, 3000):
            queue_id = mta.send_message("x@later.example", sender="a@disc.example")
            mta.wait_for_log(rf"{queue_id}: to=")
            mta.settle()
            arrival = next(record for record in spool.records(mta.spool_file(queue_id)) if record.kind == "T")
            _make_older(mta, queue_id, begin or b"T%c" % len(arrival.data), age)
            mta.run("postqueue", "-f")
            mta.wait_for_log(rf"{queue_id}: to=", count=2)
            mta.settle()
            found.append(round((mta.spool_file(queue_id).stat().st_mtime - time.time()) / 10) * 10)
            mta.spool_file(queue_id).unlink()
        return found

    main = {**MAIN, "minimal_backoff_time": "100s", "maximal_backoff_time": "200s"}
    assert parity(case, main=main).result == waits


def test_queue_runs(parity: Parity) -> None:
    """Deferred mail is looked at by itself, when its time has come."""

    def case(mta: Instance) -> bool:
        queue_id = mta.send_message("x@later.example", sender="a@disc.example")
        mta.wait_for_log(rf"{queue_id}: to=", count=2, seconds=10)
        return True

    main = {**MAIN, "queue_run_delay": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "1s"}
    parity(case, main=main, fresh=True)


@pytest.mark.parametrize("sender", ["", "a@disc.example"])
def test_lifetime_of_notices(parity: Parity, sender: str) -> None:
    """Mail of the null sender may have a shorter life than other mail."""

    def case(mta: Instance) -> object:
        queue_id = mta.send_message("x@later.example", sender=sender)
        mta.wait_for_log(rf"{queue_id}: to=")
        mta.settle()
        time.sleep(1.1)  # the age of a message is that of its name in the queue
        mta.run("postqueue", "-f")
        mta.wait_for_log(rf"{queue_id}: to=", count=2)
        mta.settle()
        lines = [line for line in mta.log_lines() if "/qmgr[" in line and "queue active" not in line]
        there = list(mta.queue())
        return [line.partition("]: ")[2].replace(queue_id, "<ID>") for line in lines], there

    seen = parity(case, main={**MAIN, "bounce_queue_lifetime": "1s"}).result
    assert ("expired" in str(seen)) is (sender == "")


@pytest.mark.parametrize("resolution", ["0", "1", "2", "3", "6"])
def test_delays(parity: Parity, resolution: str) -> None:
    """Time before a delivery agent takes a message counts for qmgr; so many digits behind the point."""

    def case(mta: Instance) -> object:
        mta.send_message("first@disc.example", sender="")
        mta.wait_until_empty()
        pids = mta.pids_of("discard")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        mta.send_message("second@disc.example", sender="")
        time.sleep(0.8)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        found = mta.wait_for_log(r"to=<second@.*delay=([\d.]+), delays=([\d.]+)/([\d.]+)/([\d.]+)/([\d.]+), dsn")
        numbers = found.groups()
        waited = [float(number) >= 0.6 for number in numbers]
        digits = max(len(number.partition(".")[2]) for number in numbers)
        if resolution == "0":
            return numbers
        return waited, found[4], digits <= int(resolution), [bool(re.fullmatch(r"0|\d|\d?\.\d+|0\.0*\d{1,2}", one)) for one in numbers]

    seen = parity(case, main={**MAIN, "delay_logging_resolution_limit": resolution}).result
    if resolution == "0":
        assert seen == ("1", "0", "1", "0", "0")
    else:
        assert seen[0] == [True, False, True, False, False]  # type: ignore[index]  # the result of case
