"""Daemons are killed under load: what was accepted arrives, and nothing is left behind.

``PYFIX_TEST_KILLS`` is the number of kills (100 in CI), ``PYFIX_TEST_SEED`` makes the same choices again.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.load import Accepted, Load
from tests.kit import processes, requirements
from tests.kit.instance import Instance, NotStarted
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]

KILLS = int(os.environ.get("PYFIX_TEST_KILLS", "100" if requirements.in_ci() else "30"))
SEED = int(os.environ.get("PYFIX_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
MASTER_EVERY = 20
"""One kill of so many is that of master itself."""
SPARED = {"master", "postlogd"}
"""master has a turn of its own.  The log is what shows that mail was discarded."""

DEFERRED = "someone@later.example"
DISCARDED = "gone@relay.example"
RETURNED = "nobodythere@ours.example"
RECIPIENTS = ["user@ours.example", "mbox@ours.example", "nobody@mail.ours.example", DISCARDED, DEFERRED, RETURNED]
MAILBOX_OF = {
    "user@ours.example": "user/",
    "mbox@ours.example": "mbox",
    "nobody@mail.ours.example": "nobody",
    DEFERRED: "later/",
    RETURNED: "second/",
}
"""Where a message for each recipient arrives; what can't be delivered is returned to its sender's mailbox."""

MAIN = {
    "virtual_mailbox_domains": "ours.example, later.example",
    "virtual_mailbox_maps": "texthash:{dir}/etc/mailboxes, inline:{someone@later.example=later/}",
    "transport_maps": "inline:{later.example=later:, relay.example=discard:}",
    "defer_transports": "later",
    "smtpd_reject_unlisted_recipient": "no",
    "fast_flush_domains": "",
    "notify_classes": "",
    # Second chances come soon.
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "4s",
    "queue_run_delay": "2s",
    "transport_retry_time": "1s",
    "service_throttle_time": "1s",
    "stale_lock_time": "2s",
}
MASTER = {"later": "later unix - n n - - virtual"}
QUEUES = ("incoming", "active", "deferred", "maildrop", "hold", "corrupt", "defer", "bounce", "trace")


@pytest.mark.skipif(KILLS < 1, reason="PYFIX_TEST_KILLS is 0")
def test_killed_daemons(new_instance: Callable[..., Instance]) -> None:
    mta = new_instance(main=MAIN, master=MASTER)
    mta.start()
    numbers = random.Random(SEED)
    killed: list[str] = []
    try:
        with Load(mta, RECIPIENTS, seed=SEED) as load:
            time.sleep(1.0)
            while len(killed) < KILLS:
                killed.append(
                    kill_master(mta) if len(killed) % MASTER_EVERY == MASTER_EVERY - 1 else kill_one(mta, numbers)
                )
                time.sleep(numbers.uniform(0.1, 1.0))
        mta.write_main(defer_transports="")
        mta.reload()
        flush_until_empty(mta)
        assert load.accepted and not load.problems, load.problems
        assert len(load.accepted) > 5 * KILLS, "too little load to show anything"
        missing = lost(mta, load.accepted)
        assert not missing, f"{len(missing)} lost of {len(load.accepted)}: {missing[:10]}"
        assert not left_behind(mta)
        bugs = [line for line in mta.log_lines() if re.search(r": (?:error|panic): ", line)]
        assert not bugs, "\n".join(bugs[:60])
        mta.stop()  # which fails if a process stays
    except BaseException:
        print(f"PYFIX_TEST_SEED={SEED}; killed: {' '.join(killed)}")
        print("\n".join(mta.log_lines()[-200:]))
        raise


def kill_one(mta: Instance, numbers: random.Random) -> str:
    """Kill one daemon; return its name.  First the kind is chosen, so that those with many processes get no more."""
    by_name: dict[str, list[int]] = {}
    for pid in mta.pids():
        name = processes.program_name(pid)
        if (mta.daemon_directory / name).exists() and name not in SPARED:
            by_name.setdefault(name, []).append(pid)
    name = numbers.choice(sorted(by_name))
    kill(numbers.choice(by_name[name]))
    return name


def kill_master(mta: Instance) -> str:
    """Kill master and start a new one, as whoever keeps the mail system running would."""
    pid = mta.master_pid
    assert pid is not None
    kill(pid)
    end = time.monotonic() + 30.0
    while True:
        try:
            mta.start()
        except NotStarted:
            # Old processes that still serve their clients have the port.
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return "master"


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def flush_until_empty(mta: Instance) -> None:
    """Let all mail be delivered."""
    for _ in range(20):
        assert mta.run("postqueue", "-f").returncode == 0
        if wait_until(lambda: not mta.queue(), 2.0):
            return
    raise AssertionError(f"the queue still has {mta.queue()}")


def lost(mta: Instance, accepted: list[Accepted]) -> list[str]:
    """Return which copies of accepted messages are nowhere."""
    found = mta.deliveries()
    mailboxes = {name: b"".join(messages) for name, messages in found.items()}
    discarded = set(re.findall(rf" (\w+): to=<{DISCARDED}>.*status=sent", "\n".join(mta.log_lines())))
    # The last line of a message is its token; of a long message that is returned only the header comes back.
    tokens = {name: set(re.findall(rb"(?m)^token-\d+\.$", content)) for name, content in mailboxes.items()}
    tokens["second/"] = set(re.findall(rb"token-\d+\.", mailboxes["second/"]))
    missing = []
    for message in accepted:
        for recipient in message.recipients:
            if recipient == DISCARDED:
                arrived = message.queue_id in discarded or not message.queue_id
            else:
                arrived = message.token.encode() in tokens.get(MAILBOX_OF[recipient], ())
            if not arrived:
                missing.append(f"{message.queue_id or 'posted'} {message.token} to {recipient}")
    return missing


def left_behind(mta: Instance) -> list[str]:
    """Return the files that are left in the queue."""
    spool = mta.queue_directory
    return [str(path.relative_to(spool)) for name in QUEUES for path in Path(spool, name).rglob("*") if path.is_file()]
