"""postsuper(1) and postqueue(1) at work beside a busy queue manager: no message is lost, and none comes twice.

Messages are held, released, requeued, listed and flushed while they are delivered.
"""

from __future__ import annotations

import collections
import json
import random
import re
import smtplib
import threading
import time
from collections.abc import Callable

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.processes import wait_until

pytestmark = pytest.mark.root

MESSAGES = 200
SECONDS = 3.0
MAIN = {"defer_transports": "virtual", "virtual_destination_concurrency_limit": "3"}
QUICK = {"defer_transports": "", "minimal_backoff_time": "1s", "maximal_backoff_time": "1s", "queue_run_delay": "1s"}
"""From when all messages are deferred: before, they would come and go."""


def _submit(mta: Instance, count: int) -> None:
    """Send messages that tell their number, two recipients each."""
    with smtplib.SMTP(mta.host, mta.port, source_address=(TRUSTED, 0)) as client:
        for number in range(count):
            client.sendmail("a@client.example", ["user@ours.example", "second@ours.example"], f"Subject: x\r\n\r\nnumber {number}\r\n")


class Disturbers:
    """Run commands about random messages, each in a thread of its own."""

    def __init__(self, mta: Instance, *, requeue: bool) -> None:
        """*requeue*: requeue messages too, and hold none that are being delivered."""
        self._mta = mta
        self._requeues = requeue
        self._end = time.monotonic() + SECONDS
        self.failures: list[str] = []
        self.calls: collections.Counter[str] = collections.Counter()
        ways: list[Callable[[random.Random], list[str]]] = [self._hold, self._release, self._flush]
        if requeue:
            ways.append(self._requeue)
        self._threads = [threading.Thread(target=self._run, args=(way, random.Random(number))) for number, way in enumerate(ways)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, way: Callable[[random.Random], list[str]], numbers: random.Random) -> None:
        while time.monotonic() < self._end:
            command, *arguments = way(numbers)
            ids = "".join(f"{one}\n" for one in self._some(numbers)) if "-" in arguments else ""
            done = self._mta.run(command, *arguments, input=ids.encode())
            self.calls[" ".join([command, *arguments[:1]])] += 1
            if done.returncode or b"fatal" in done.stderr or b"warning" in done.stderr:
                self.failures.append(f"{command} {arguments}: {done.returncode} {done.stderr.decode()}")

    def _some(self, numbers: random.Random) -> list[str]:
        ids = [one for names in self._mta.queue().values() for one in names]
        return numbers.sample(ids, min(len(ids), 40))

    def _hold(self, numbers: random.Random) -> list[str]:
        queues = [["deferred"], ["incoming"]] if self._requeues else [[], ["deferred"], ["active", "incoming"]]
        return ["postsuper", "-h", numbers.choice(["-", "ALL"]), *numbers.choice(queues)]

    def _release(self, numbers: random.Random) -> list[str]:
        return ["postsuper", "-H", numbers.choice(["-", "ALL"])]

    def _requeue(self, numbers: random.Random) -> list[str]:
        # What is being delivered could come twice, with the reference as well: its marks go to a file that is copied meanwhile.
        return ["postsuper", "-r", "-", "hold", "deferred"]

    def _flush(self, numbers: random.Random) -> list[str]:
        ids = self._some(numbers)
        return numbers.choice([["postqueue", "-f"], ["postqueue", "-j"], ["postqueue", "-i", ids[0]] if ids else ["postqueue", "-p"]])


@pytest.mark.parametrize("requeue", [False, True])
def test_operations_while_mail_is_delivered(requeue: bool) -> None:
    with Instance("pyfix", main=MAIN) as mta:
        mta.start()
        _submit(mta, MESSAGES)
        assert wait_until(lambda: len(mta.queue().get("deferred", [])) == MESSAGES, 20.0), mta.queue().keys()
        mta.write_main(**QUICK)
        mta.reload()
        disturbers = Disturbers(mta, requeue=requeue)
        with disturbers:
            _submit(mta, MESSAGES // 2)  # numbers that there are twice
        assert not disturbers.failures, disturbers.failures[:3]
        assert len(disturbers.calls) > 3, disturbers.calls
        mta.run("postsuper", "-H", "ALL")
        mta.run("postqueue", "-f")
        mta.wait_until_empty(60.0)
        for mailbox in ("user/", "second/"):
            found = [re.search(rb"number (\d+)", content) for content in mta.deliveries()[mailbox]]
            counts = collections.Counter(int(match[1]) for match in found if match)
            wanted = {number: 2 if number < MESSAGES // 2 else 1 for number in range(MESSAGES)}
            assert {number: counts[number] for number in wanted} == wanted, mailbox


def test_deleted_while_mail_is_delivered() -> None:
    """Each message is delivered or deleted, whole, and what postsuper(1) says of it is true."""
    with Instance("pyfix", main=MAIN) as mta:
        mta.start()
        _submit(mta, MESSAGES)
        assert wait_until(lambda: len(mta.queue().get("deferred", [])) == MESSAGES, 20.0)
        listed = [json.loads(line)["queue_id"] for line in mta.run("postqueue", "-j").stdout.splitlines()]
        assert len(listed) == MESSAGES
        mta.write_main(**QUICK)
        mta.reload()
        removed: set[str] = set()
        for start in range(0, MESSAGES, 20):
            if start == 20:
                mta.run("postqueue", "-f")
            done = mta.run("postsuper", "-d", "-", input="".join(f"{one}\n" for one in listed[start : start + 10]).encode())
            removed |= set(re.findall(r"(\w+): removed", done.stderr.decode()))
        mta.run("postqueue", "-f")
        mta.wait_until_empty(60.0)
        sent = collections.Counter(
            match[1] for line in mta.log_lines() if (match := re.search(r"/virtual\[\d+\]: (\w+): to=.*status=sent", line))
        )
        assert removed
        for queue_id in listed:
            assert sent[queue_id] == 2 or queue_id in removed, queue_id
            assert sent[queue_id] <= 2
        assert sum(len(texts) for texts in mta.deliveries().values()) == sum(sent.values())
        assert not [path for name in ("defer", "bounce", "trace") for path in (mta.queue_directory / name).rglob("*") if path.is_file()]
