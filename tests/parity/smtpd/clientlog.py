"""What smtpd logs of its clients, apart from what a process says when it starts."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SAID = re.compile(r"/smtpd\[(\d+)\]: (.*)")


def said_of_clients(lines: Iterable[str]) -> list[str]:
    """Return what each process of smtpd said from its first connection on.

    What is said of the lists themselves comes when a process starts, and when that is differs.
    """
    connected: set[str] = set()
    found = []
    for line in lines:
        if (said := _SAID.search(line)) is None:
            continue
        if said[2].startswith("connect from"):
            connected.add(said[1])
        if said[1] in connected:
            found.append(said[2])
    return found
