"""Daemons are killed under load: what was accepted arrives, and nothing is left behind.

``PYFIX_TEST_KILLS`` is the number of kills (100 in CI, 1,000 in ``make crash``), ``PYFIX_TEST_SEED`` makes the same choices
again.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.flaky import FlakyServer
from tests.crash.load import Accepted, Load
from tests.kit import processes, requirements
from tests.kit.instance import Instance, NotStarted
from tests.kit.processes import wait_until

KILLS = int(os.environ.get("PYFIX_TEST_KILLS", "100" if requirements.in_ci() else "30"))

pytestmark = [pytest.mark.root, pytest.mark.timeout(300 + 4 * KILLS)]
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
    "minimal_backoff_time": "10s",
    "maximal_backoff_time": "20s",
    "queue_run_delay": "4s",
    "transport_retry_time": "1s",
    "service_throttle_time": "1s",
    "stale_lock_time": "2s",
}
FAR = "somebody@far.example"
"""Goes by SMTP to a server that is not to be relied on."""
MANY = [f"r{number}@many.example" for number in range(1000 if KILLS > 300 else 200)]
"""Recipients of one message."""
MASTER = {"later": "later unix - n n - - virtual"}
QUEUES = ("incoming", "active", "deferred", "maildrop", "hold", "corrupt", "defer", "bounce", "trace")


KINDS = ["pyfix", *(pytest.param(kind, marks=pytest.mark.reference) for kind in ["reference"] if KILLS > 300)]
"""In a long campaign the reference is killed in the same way, for its numbers to be seen beside ours."""


@pytest.mark.skipif(KILLS < 1, reason="PYFIX_TEST_KILLS is 0")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_daemons(new_instance: Callable[..., Instance], kind: str) -> None:
    with FlakyServer(SEED) as far:
        mta = new_instance(kind, main=MAIN | main(far.port), master=MASTER)
        mta.start()
        campaign(mta, far)


def main(port: int) -> dict[str, str]:
    """Return the settings that the power loss tests do not need: a server at *port*, and a domain of many."""
    return {
        "transport_maps": f"inline:{{later.example=later:, relay.example=discard:, far.example=smtp:[127.0.0.1]:{port}}}",
        "virtual_mailbox_domains": f"{MAIN['virtual_mailbox_domains']}, many.example",
        "virtual_mailbox_maps": f"{MAIN['virtual_mailbox_maps']}, regexp:{{{{/@many/ many/}}}}",
        "smtp_connect_timeout": "5s",
        "smtp_host_lookup": "native",
    }


def campaign(mta: Instance, far: FlakyServer) -> None:
    """Kill, let the rest be delivered, and count what came and what came more than once."""
    numbers = random.Random(SEED)
    killed: list[str] = []
    try:
        with Load(mta, [*RECIPIENTS, FAR], seed=SEED, bulk=MANY) as load:
            time.sleep(1.0)
            while len(killed) < KILLS:
                killed.append(
                    kill_master(mta) if len(killed) % MASTER_EVERY == MASTER_EVERY - 1 else kill_one(mta, numbers)
                )
                time.sleep(numbers.uniform(0.1, 1.0))
        far.reliable = True
        mta.write_main(defer_transports="")
        mta.reload()
        flush_until_empty(mta)
        assert load.accepted and not load.problems, load.problems
        assert len(load.accepted) > 5 * KILLS, "too little load to show anything"
        missing = lost(mta, load.accepted, far)
        assert not missing, f"{len(missing)} lost of {len(load.accepted)}: {missing[:10]}"
        copies, twice = doubled(mta, far)
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(Counter(killed).items()))
        print(
            f"{mta.kind}, killed: {kinds}; {len(load.accepted)} messages accepted, {copies} copies arrived, none lost; "
            f"{twice} came more than once, and {far.unconfirmed} because their server did not say that it took them"
        )
        # postlogd(8) goes with its master, and log lines that it has not read go with it.
        if mta.kind != "pyfix":
            return
        without_trace = undiscarded(mta, load.accepted)
        assert len(without_trace) <= 5 * killed.count("master"), without_trace
        assert not left_behind(mta)
        bugs = [line for line in mta.log_lines() if re.search(r": (?:error|panic): ", line)]
        assert not bugs, "\n".join(bugs[:60])
        mta.stop()  # which fails if a process stays
    except BaseException:
        print(f"PYFIX_TEST_SEED={SEED}; killed: {' '.join(killed)}")
        print("\n".join(line for line in mta.log_lines() if re.search(r"warning|error:|fatal|panic|master\[", line)))
        print("\n".join(mta.log_lines()[-100:]))
        raise


def kill_one(mta: Instance, numbers: random.Random) -> str:
    """Kill one daemon; return its name.  First the kind is chosen, so that those with many processes get no more."""
    by_name: dict[str, list[int]] = {}
    for pid in mta.pids():
        name = processes.program_name(pid)
        if (mta.daemon_directory / name).exists() and name not in SPARED:
            by_name.setdefault(name, []).append(pid)
    assert by_name, f"no daemons: {[processes.command_line(pid) for pid in mta.pids()]}, {mta.daemon_directory}"
    name = numbers.choice(sorted(by_name))
    kill(numbers.choice(by_name[name]))
    return name


def kill_master(mta: Instance) -> str:
    """Kill master and start a new one, as whoever keeps the mail system running would."""
    pid = mta.master_pid
    assert pid is not None
    kill(pid)
    end = time.monotonic() + 180.0
    while True:
        try:
            # On a machine with much else to do: a master that came up after our patience would be in the way of the next.
            mta.start(seconds=120.0)
        except NotStarted:
            # Old processes that still serve their clients have the port.
            assert time.monotonic() < end, f"no master after that of {pid}"
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
    end = time.monotonic() + 60 + KILLS / 5
    while time.monotonic() < end:
        assert mta.run("postqueue", "-f").returncode == 0
        if wait_until(lambda: not mta.queue(), 1.0):
            mta.settle()
            if not mta.queue():  # a message may have come into a folder that was already read, and all is logged now
                return
    raise AssertionError(f"the queue still has {mta.queue()}")


def doubled(mta: Instance, far: FlakyServer) -> tuple[int, int]:
    """Return how many copies arrived, and how many of them more than once: an agent was killed before it could say so."""
    seen: Counter[tuple[str, bytes, bytes]] = Counter()
    for name, messages in mta.deliveries().items():
        for message in messages:
            header = message.partition(b"\n\n")[0]
            recipient = re.search(rb"(?m)^Delivered-To: (.*)$", header)
            for token in set(re.findall(rb"(?m)^token-\d+\.$", message)):
                seen[name, token, recipient[1] if recipient else b""] += 1
    counts = [*seen.values(), *far.taken.values()]
    return sum(counts), sum(count - 1 for count in counts)


def lost(mta: Instance, accepted: list[Accepted], far: FlakyServer | None = None) -> list[str]:
    """Return which copies of accepted messages are in no mailbox, and did not come to *far*."""
    content = {name: b"".join(messages) for name, messages in mta.deliveries().items()}
    # The last line of a message is its token; of a long message that is returned only the header comes back.
    arrived = {name: set(re.findall(rb"(?m)^token-\d+\.$", text)) for name, text in content.items()}
    arrived["second/"] = set(re.findall(rb"token-\d+\.", content.get("second/", b"")))
    many = {
        (found[1], recipient.decode())
        for message in mta.deliveries().get("many/", ())
        for recipient in re.findall(rb"(?m)^Delivered-To: (.*)$", message)
        if (found := re.search(rb"(?m)^(token-\d+\.)$", message))
    }

    def is_there(token: bytes, recipient: str) -> bool:
        if recipient == FAR:
            return far is not None and far.taken[token, recipient] > 0
        if recipient.endswith("@many.example"):
            return (token, recipient) in many
        return recipient == DISCARDED or token in arrived.get(MAILBOX_OF[recipient], ())

    return [
        f"{message.queue_id or 'posted'} {message.token} to {recipient}"
        for message in accepted
        for recipient in message.recipients
        if not is_there(message.token.encode(), recipient)
    ]


def undiscarded(mta: Instance, accepted: list[Accepted]) -> list[str]:
    """Return the ids of messages of which the log does not say that they were discarded."""
    log = "\n".join(mta.log_lines())
    discarded = set(re.findall(rf" (\w+): to=<{DISCARDED}>.*status=sent", log))
    # An agent that is killed may have done its work without a word; qmgr(8) removes what is done.
    discarded.update(re.findall(r"(?m) (\w+): removed$", log))
    ids = {message.queue_id for message in accepted if DISCARDED in message.recipients and message.queue_id}
    return sorted(ids - discarded)


def left_behind(mta: Instance) -> list[str]:
    """Return the files that are left in the queue."""
    spool = mta.queue_directory
    return [str(path.relative_to(spool)) for name in QUEUES for path in Path(spool, name).rglob("*") if path.is_file()]
