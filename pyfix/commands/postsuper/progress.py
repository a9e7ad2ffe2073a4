"""A line on the terminal that tells how far a long operation has come; never where there is none."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import TextIO

_MANY = 1000
"""Files after which there is something to tell."""
_INTERVAL = 0.2
"""Seconds between two lines."""


class Progress:
    """Shows how many files have been gone through, in a line that is written over and leaves nothing behind."""

    def __init__(self, stream: TextIO, *, wanted: bool = True) -> None:
        self._stream = stream
        self._wanted = wanted and stream.isatty()
        self._count = 0
        self._where = ""
        self._shown = 0
        self._next = 0.0

    def step(self, where: str, count: int = 1) -> None:
        """Count more files of a queue."""
        if not self._wanted:
            return
        if where != self._where:
            self._where, self._count = where, 0
        self._count += count
        if self._count >= _MANY:
            now = time.monotonic()
            if now >= self._next:
                self._next = now + _INTERVAL
                self._show(f"postsuper: {where}: {self._count}")

    def _show(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._shown))
        self._stream.flush()
        self._shown = len(text)

    def clear(self) -> None:
        """Take the line away, so that other output can be written."""
        if self._shown:
            self._show("")
            self._stream.write("\r")
            self._stream.flush()
            self._shown = 0
