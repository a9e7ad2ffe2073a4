"""A bulk mailing in the queue, and how long a single message has to wait behind it.

Each delivery takes a second, as the server waits so long.  What the bulk mailing costs qmgr(8) in memory is looked at meanwhile.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.load import RoundFailed
from tests.kit.instance import Instance
from tests.kit.loadtools import sink
from tests.kit.reference import reference

BULK: Final = 50_000
"""Recipients of the bulk mailing."""
SLACK: Final = 1.0
"""Seconds that a single message may take longer than with the reference: a delivery takes as long."""
MAIN: Final[Mapping[str, str]] = {"smtpd_recipient_limit": "100000", "smtp_tls_security_level": "none"}
PLACES: Final = ("other", "bulk")
"""Where single messages go: to another destination, and to that of the bulk mailing."""
_SINGLES: Final = 5
_BEGUN: Final = 500
"""Recipients of the bulk mailing that are served before the first single message comes."""


@contextmanager
def slow_server() -> Iterator[dict[str, str]]:
    """Run a server that takes a second for each message; yields the main.cf parameters that send mail there."""
    with sink("reference", "smtp-sink", "-4", "-W", "DATA:1", "-m", "1000", host="") as server:
        hops = [f"{{{place}.example=smtp:[127.0.1.{number}]:{server.port}}}" for number, place in enumerate(PLACES, 1)]
        yield {**MAIN, "transport_maps": f"inline:{{{', '.join(hops)}}}"}


def delays(instance: Instance, place: str, recipients: int) -> tuple[float, float]:
    """Return the median delay of single messages to *place* behind a bulk mailing, and what that adds to qmgr's KiB."""
    instance.forget()
    (qmgr,) = instance.pids_of("qmgr")
    before = _memory(qmgr)
    argv = [
        str(reference().command_directory / "smtp-source"),
        *("-4", "-r", str(recipients), "-f", "bulk@client.example", "-t", "u@bulk.example"),
        f"{instance.host}:{instance.port}",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode or done.stderr:
        raise RoundFailed(f"smtp-source ended with {done.returncode}: {done.stderr[-300:]}")
    instance.wait_for_log(r": to=<\d*u\d*@bulk", count=_BEGUN, seconds=60)
    found = []
    for number in range(_SINGLES):
        queue_id = instance.send_message(f"single{number}@{place}.example")
        line = instance.wait_for_log(rf"{queue_id}: to=<single.* delay=([\d.]+), .*status=sent", seconds=120)
        found.append(float(line[1]))
        time.sleep(0.3)
    if not any(instance.queue().values()):
        raise RoundFailed("the bulk mailing was over too early")
    added = _memory(qmgr) - before
    instance.run("postsuper", "-d", "ALL")
    instance.wait_until_empty(60)
    return median(found), added


def _memory(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1])
