"""The next few members of a list, so that trivial-rewrite(8) can be asked about all of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from pyfix.clients.resolve import AT_ONCE
from pyfix.daemons.local.listfile import Unreadable

__all__ = ["addresses_among", "next_of"]

_NO_ADDRESS: Final = "|/~:\\"
"""How members of lists begin that are no addresses, or need not be one."""


def next_of(members: Iterator[str]) -> tuple[list[str], Unreadable | None]:
    """Return the next AT_ONCE members of a list, fewer at its end, and what has kept us from reading on."""
    some: list[str] = []
    try:
        for member in islice(members, AT_ONCE):
            some.append(member)  # what came before an error counts
    except Unreadable as error:
        return some, error
    return some, None


def addresses_among(members: Sequence[str]) -> list[str]:
    """Return those that are addresses; none where there is but one, for which nothing is won."""
    addresses = [member for member in members if member[0] not in _NO_ADDRESS]
    return addresses if len(addresses) > 1 else []
