"""Message content as a client sends it after DATA: CR LF, dots doubled, lines that are too long broken.

Source: RFC 5321 section 4.5.2; postconf(5) smtp_line_length_limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["ContentEncoder"]


class ContentEncoder:
    """Encodes content that comes in blocks, each of any length."""

    __slots__ = ("_broken", "_column", "_limit", "_on_break")

    def __init__(self, limit: int, on_break: Callable[[], None]) -> None:
        """*limit*: bytes of a line before it is broken, 0: none; *on_break* hears of the first such line."""
        self._limit: Final = limit
        self._on_break: Final = on_break
        self._column = 0
        """Bytes of the line that was begun and has not ended."""
        self._broken = False

    def encode(self, block: bytes) -> bytes:
        """Return *block*, whose lines end in LF, as it goes over the wire."""
        if not block:
            return block
        if self._column or block[-1] != 0x0A or self._too_long(block):
            return self._slowly(block)
        if block[0] == 0x2E:
            block = b"." + block
        if b"\n." in block:
            block = block.replace(b"\n.", b"\n..")
        return block.replace(b"\n", b"\r\n")

    def _too_long(self, block: bytes) -> bool:
        if not self._limit or len(block) <= self._limit:
            return False
        return len(max(block.split(b"\n"), key=len)) > self._limit

    def _slowly(self, block: bytes) -> bytes:
        """Encode line by line, with pieces of lines at either end."""
        out: list[bytes] = []
        lines = block.split(b"\n")
        last = len(lines) - 1
        for number, line in enumerate(lines):
            if number == last and not line:
                break
            self._line(line, out, ends=number < last)
        return b"".join(out)

    def _line(self, line: bytes, out: list[bytes], *, ends: bool) -> None:
        if not self._column and line.startswith(b"."):
            out.append(b".")
        start = 0
        while self._limit and len(line) - start + self._column > self._limit:
            end = start + self._limit - self._column
            out.append(line[start:end] + b"\r\n ")
            start = end
            self._column = 1
            if not self._broken:
                self._broken = True
                self._on_break()
        out.append(line[start:])
        if ends:
            out.append(b"\r\n")
            self._column = 0
        else:
            self._column += len(line) - start

    def end(self) -> bytes:
        """Return what is missing at the end of the content."""
        if self._column:
            self._column = 0
            return b"\r\n"
        return b""
