"""Characters that are removed from message content, or that make it be refused.

Source: postconf(5) message_strip_characters, message_reject_characters.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|(.)|\Z)", re.DOTALL)
_NAMED: Final = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\\": b"\\",
}  # fmt: skip

REFUSAL: Final = "5.7.1 disallowed character"


class Characters:
    """What main.cf says about single characters."""

    def __init__(self, strip: str, reject: str) -> None:
        r"""*strip* and *reject* are the parameters' values, with escapes such as ``\0`` and ``\a``."""
        self._strip: Final = _unescape(strip)
        self._reject: Final = re.compile(b"[" + re.escape(_unescape(reject)) + b"]") if reject else None

    def __bool__(self) -> bool:
        """Tell whether there is anything to look for."""
        return bool(self._strip or self._reject)

    def refuses(self, text: bytes) -> bool:
        """Tell whether *text* has a character that makes it be refused."""
        return self._reject is not None and self._reject.search(text) is not None

    def stripped(self, text: bytes) -> bytes:
        """Return *text* without the characters that are to be removed."""
        return text.translate(None, self._strip) if self._strip else text


def _unescape(text: str) -> bytes:
    def byte(match: re.Match[bytes]) -> bytes:
        if match[1] is not None:
            return bytes([int(match[1], 8) & 0xFF])
        return _NAMED.get(match[2] or b"", match[2] or b"")

    return _ESCAPE.sub(byte, text.encode("utf-8", "surrogateescape"))
