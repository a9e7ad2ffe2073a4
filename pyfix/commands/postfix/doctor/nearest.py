"""The real name that a misspelt one is nearest to."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["distance", "nearest"]


def distance(left: str, right: str, most: int) -> int:
    """Return how many letters to insert, drop, replace or swap with their neighbour, at most *most* + 1."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for at, letter in enumerate(left, 1):
        earlier, before, row = before, row, [at]
        for to, other in enumerate(right, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != other))
            if at > 1 and to > 1 and letter == right[to - 2] and left[at - 2] == other:
                cost = min(cost, earlier[to - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name of *names* that *name* is most likely meant to be, empty when none is near enough.

    One letter of a short name may be wrong, two of most names, three of a long one.
    """
    most = 1 if len(name) <= 5 else 2 if len(name) <= 20 else 3
    best = ""
    for other in sorted(names):
        found = distance(name.lower(), other.lower(), most)
        if found <= most:
            best, most = other, found - 1
            if found == 0:
                break
    return best
