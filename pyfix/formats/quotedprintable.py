"""Quoted-printable, as mail transfer agents write it when they must make 8-bit text 7-bit.

Source: RFC 2045 section 6.7; postconf(5) force_mime_input_conversion.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["QuotedPrintableEncoder"]

_BREAK_AFTER: Final = 72
"""Characters after which an output line is broken at the next chance: with a quoted one and ``=`` there are 76."""
_QUOTED: Final = re.compile(rb"[^\t -<>-~]")
_ENCODED: Final = [b"=%02X" % byte if _QUOTED.match(bytes((byte,))) else bytes((byte,)) for byte in range(256)]
_QUOTED_BLANKS: Final = {b" ": b"=20", b"\t": b"=09"}


class QuotedPrintableEncoder:
    """Encodes lines that may come in pieces."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line = b""

    def encode(self, data: bytes, *, ends: bool) -> list[bytes]:
        """Return the lines that are complete with *data*, without newlines.

        *ends* is whether a line of the text ends behind it.
        """
        lines: list[bytes] = []
        line = self._line
        if len(line) + len(data) <= _BREAK_AFTER and _QUOTED.search(data) is None:
            line += data
        else:
            for byte in data:
                if len(line) > _BREAK_AFTER:
                    lines.append(line + b"=")
                    line = b""
                line += _ENCODED[byte]
        if ends:
            last = _QUOTED_BLANKS.get(line[-1:])
            lines.append(line if last is None else line[:-1] + last)
            line = b""
        self._line = line
        return lines
