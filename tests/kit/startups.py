"""What a mail system says of programs that do not start."""

from __future__ import annotations

import re
from collections import Counter

from .instance import Instance
from .processes import wait_until


def complaints_at_startup(mta: Instance, services: int) -> str:
    """Wait until master holds back so many *services*; return all complaints, each with its number, in the order of the alphabet."""
    told: list[str] = []

    def all_ended() -> bool:
        told[:] = mta.log_lines()
        return sum("bad command startup -- throttling" in line for line in told) >= services

    assert wait_until(all_ended, 60.0), told
    lines = [line.partition(": ")[2] for line in told if re.search(r": (fatal|warning|error|panic): ", line)]
    said = Counter(re.sub(r"pid \d+ ", "", line) for line in lines)
    return "\n".join(f"{count} {line}" for line, count in sorted(said.items()))


def number_of_fatal(complaints: str) -> int:
    """Return how many of them are fatal."""
    return sum(int(line.split()[0]) for line in complaints.splitlines() if " fatal: " in line)
