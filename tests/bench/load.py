"""Putting one load on one instance and timing it end to end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.domains import send_to_domains
from tests.bench.logins import log_in
from tests.bench.rows import Row, Server
from tests.kit.instance import Instance
from tests.kit.reference import reference

_LONGEST = 180.0
"""Seconds after which a round is given up."""


class RoundFailed(Exception):
    """A round did not come to its end."""


def run_round(instance: Instance, row: Row) -> float:
    """Send the messages of *row* and return the seconds from the first connection until the queue is empty.

    Raises RoundFailed when smtp-source fails, mail stays in the queue, or not everything was delivered.
    """
    instance.forget()
    start = time.monotonic()
    if row.server is Server.AUTH:
        wrong = log_in((instance.host, instance.port), row.messages, row.connections, _LONGEST)
        if wrong:
            raise RoundFailed(wrong)
        return time.monotonic() - start
    if row.server is Server.DOMAINS:
        problem = send_to_domains(instance.host, instance.port, row.messages)
        if problem:
            raise RoundFailed(f"smtpd said {problem}")
    else:
        _run_source(instance, row)
    wait_until_gone(instance, ("incoming", "active"), start)
    seconds = time.monotonic() - start
    _check_deliveries(instance, row)
    return seconds


def _run_source(instance: Instance, row: Row) -> None:
    argv = _with_tls(instance, row) if row.starttls else [
        str(reference().command_directory / "smtp-source"),
        *("-4", "-s", str(row.connections), "-m", str(row.messages), "-l", str(row.size)),
        *("-f", "sender@client.example", "-t", row.recipient),
        *(("-r", str(row.recipients)) if row.recipients > 1 else ()),
        f"{instance.host}:{instance.port}",
    ]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise RoundFailed(f"smtp-source took longer than {_LONGEST} s") from None
    if done.returncode != 0 or done.stderr:
        raise RoundFailed(f"smtp-source ended with {done.returncode}: {done.stderr[-300:]}")


def wait_until_gone(instance: Instance, names: Sequence[str], start: float) -> None:
    """Wait until the queues *names* are empty.  Raises RoundFailed when that takes too long since *start*."""
    queues = [instance.queue_directory / name for name in names]
    while not all(map(_is_empty, queues)):
        if time.monotonic() - start > _LONGEST:
            raise RoundFailed(f"after {_LONGEST} s there is mail in {names}")
        time.sleep(0.002)


def _with_tls(instance: Instance, row: Row) -> list[str]:
    numbers = (row.connections, row.messages, row.size)
    return [
        *(sys.executable, "-m", "tests.bench.starttls", instance.host, str(instance.port)),
        *map(str, numbers),
        *("sender@client.example", row.recipient),
    ]


def _is_empty(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return all(entry.is_dir() and _is_empty(Path(entry.path)) for entry in entries)


def _check_deliveries(instance: Instance, row: Row) -> None:
    """Count what was delivered: log lines, and files or mailbox separators where there are any."""
    wanted = row.messages * row.recipients * (1 + row.members)
    end = time.monotonic() + 10
    while (sent := _count(instance.log_path, b"status=sent", instance.log_start)) < wanted:
        if time.monotonic() > end:
            raise RoundFailed(f"{sent} of {wanted} deliveries are in the log; the queue has {instance.queue()}")
        time.sleep(0.05)
    maildir, mbox = instance.mail_directory / "user/new", instance.directory / "localmail/nobody"
    found = wanted
    if row.recipient.startswith("user@"):
        found = len(os.listdir(maildir))
    elif row.recipient.startswith("nobody@"):
        found = _count(mbox, b"\nFrom sender@client.example", 0) + 1
    if found != wanted:
        raise RoundFailed(f"{found} of {wanted} messages are in the mailbox")


def _count(path: Path, text: bytes, start: int) -> int:
    with path.open("rb") as stream:
        stream.seek(start)
        return stream.read().count(text)
