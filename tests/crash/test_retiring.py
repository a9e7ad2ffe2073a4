"""Processes retire all the time, and nothing that one of them had still to do waits for somebody else's next look.

What was accepted is delivered seconds later: a wake-up of qmgr(8) that is lost would be made up for by master(8) after
300 seconds.  ``PYFIX_TEST_SEED`` makes the same choices again.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit import smtp
from tests.kit.instance import TRUSTED, Instance
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root]

SEED = int(os.environ.get("PYFIX_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
ROUNDS = 40
SECONDS = 20.0
"""Long enough for a machine that stands still at times, and far from the 300 seconds of qmgr(8)'s wake-up."""

MAIN = {
    # Processes retire after few clients, when idle, and when a table has changed: cleanup and smtpd have one.
    "max_use": "1",
    "max_idle": "1s",
    "virtual_alias_maps": "texthash:{dir}/etc/aliases",
    # A message that was in delivery when qmgr ended is deferred by the next one; what stays in incoming is not tried for it.
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "1s",
    "queue_run_delay": "1s",
    "service_throttle_time": "1s",
}
FILES = {"aliases": "other@ours.example user@ours.example\n"}


class Rounds:
    """Sends small rounds of mail, disturbs the mail system amid them, and waits for each round."""

    def __init__(self, mta: Instance, numbers: random.Random) -> None:
        self._mta = mta
        self._numbers = numbers
        self._sent: list[str] = []
        self._arrived: set[str] = set()
        self._seen: set[Path] = set()
        self._table = mta.config_directory / "aliases"
        self._changed = int(time.time()) - 1_000_000
        self.disturbances: dict[Callable[[], None], int] = {
            self.change_table: 8, self.nothing: 4, self.reload: 2, self.kill_qmgr: 2, self.wait: 1,
        }  # fmt: skip
        """How often each is chosen, relative to the others."""

    def run(self) -> None:
        """Send one round; return when all of it has arrived."""
        posted = self._numbers.choice((0.0, 0.2, 1.0))
        for _ in range(self._numbers.randint(1, 5)):
            self._disturb()
            # pickup leaves cleanup with the reply to its message, smtpd only later.
            if self._numbers.random() < posted:
                self._post()
            else:
                self._send(self._numbers.choice((1, 1, 2, 5)))
        last = time.monotonic()
        complete = wait_until(self._all_arrived, SECONDS)
        missing = sorted(set(self._sent) - self._arrived)
        assert complete, f"not there {time.monotonic() - last:.1f} s after the last reply: {missing}; {self._mta.queue()}"

    def _all_arrived(self) -> bool:
        for path in {*self._mta.mail_directory.glob("user/new/*")} - self._seen:
            self._seen.add(path)
            self._arrived.add(path.read_text().rstrip().rpartition("\n")[2])
        return self._arrived.issuperset(self._sent)

    def _content(self) -> bytes:
        self._sent.append(f"token {len(self._sent)}")
        return f"Subject: test\n\n{self._sent[-1]}\n".encode()

    def _send(self, count: int) -> None:
        """Send messages over one connection; a new one for each that the server ends amid them."""
        left = [self._content() for _ in range(count)]
        with smtp.Dialogue(self._mta.host, self._mta.port, TRUSTED) as client:
            client.say("EHLO client.example")
            for content in left:
                for line in ("MAIL FROM:<>", "RCPT TO:<other@ours.example>", "DATA"):
                    assert client.say(line)[0][:1] in "23"
                assert client.say(smtp.dot_stuffed(content))[0].startswith("250 2.0.0 Ok: queued as ")
            if self._numbers.random() < 0.5:
                client.say("QUIT")

    def _post(self) -> None:
        done = self._mta.run("sendmail", "-f", "", "user@ours.example", input=self._content())
        assert done.returncode == 0, done.stderr

    def _disturb(self) -> None:
        choices = list(self.disturbances)
        self._numbers.choices(choices, [self.disturbances[choice] for choice in choices])[0]()

    def nothing(self) -> None:
        """Let them be."""

    def change_table(self) -> None:
        """Make cleanup and smtpd retire after the next message."""
        self._changed += 1
        os.utime(self._table, (self._changed, self._changed))

    def reload(self) -> None:
        """postfix reload."""
        pid = self._mta.master_pid
        assert pid is not None
        os.kill(pid, signal.SIGHUP)

    def kill_qmgr(self) -> None:
        """What it had in hand is looked at by the next one, which the next message wakes."""
        for pid in self._mta.pids_of("qmgr"):
            os.kill(pid, signal.SIGKILL)

    def wait(self) -> None:
        """Long enough for idle processes to be about to end."""
        time.sleep(self._numbers.uniform(0.9, 1.1))


@pytest.mark.parametrize("in_flow_delay", ["1s", "0s"])
def test_no_message_waits_for_a_wake_up_that_was_lost(
    new_instance: Callable[..., Instance], in_flow_delay: str
) -> None:
    """cleanup, smtpd, pickup, virtual and trivial-rewrite come and go; each round arrives whole, soon after its last reply."""
    mta = new_instance(main={**MAIN, "in_flow_delay": in_flow_delay}, files=FILES)
    mta.start()
    rounds = Rounds(mta, random.Random(f"{SEED} {in_flow_delay}"))
    try:
        for _ in range(ROUNDS):
            rounds.run()
    except BaseException:
        print(f"PYFIX_TEST_SEED={SEED}")
        print("\n".join(mta.log_lines()[-150:]))
        raise
    faults = [line for line in mta.log_lines() if any(word in line for word in (": error: ", ": panic: ", ": fatal: "))]
    assert not faults, "\n".join(faults)
