"""How many messages each action of postsuper(1) was done to."""

from __future__ import annotations

from pyfix.runtime.log import log

_NAMES = {
    "r": "Requeued", "d": "Deleted", "e": "Force-expired", "h": "Placed on hold", "H": "Released from hold",
    "s": "Renamed to match inode number",
}  # fmt: skip
"""Actions by their letter, in the order in which they are told of."""


class Counts:
    """Counts by action; one that was asked for is told of, also when it was done to nothing."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def expect(self, letter: str) -> None:
        """Tell of an action, however often it will be done."""
        self._counts.setdefault(letter, 0)

    def add(self, letter: str) -> None:
        """Count one message."""
        self._counts[letter] = self._counts.get(letter, 0) + 1

    def report(self) -> None:
        """Log them."""
        for letter, name in _NAMES.items():
            if (count := self._counts.get(letter)) is not None:
                log.info(f"{name}: {count} message{'' if count == 1 else 's'}")
