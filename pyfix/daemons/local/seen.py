"""What was done for one recipient already: nobody gets a message twice because several lists lead to him."""

from __future__ import annotations


class Seen:
    """Remembers a limited number of things, whatever their case.  Source: postconf(5) duplicate_filter_limit."""

    __slots__ = ("_known", "_limit")

    def __init__(self, limit: int) -> None:
        """*limit* is the number of things that are remembered, 0 for any number."""
        self._limit = limit
        self._known: set[str] = set()

    def before(self, what: str) -> bool:
        """Tell whether *what* was asked for before; from now on it was, while there is room."""
        key = what.casefold()
        if key in self._known:
            return True
        if self._limit <= 0 or len(self._known) < self._limit:
            self._known.add(key)
        return False
