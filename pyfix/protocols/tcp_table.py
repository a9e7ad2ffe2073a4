"""The lines of tcp_table(5): ``get KEY``, and ``200 VALUE``, ``400 REASON`` or ``500 REASON``."""

from __future__ import annotations

import re

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

LINE_LIMIT: Final = 4096
"""Bytes of the longest reply."""
FOUND: Final = 200
LATER: Final = 400
NOT_FOUND: Final = 500

_REPLY: Final = re.compile(rb"(\d\d\d)[ \t\r\v\f]((?:[^%]|%[0-9A-Fa-f]{2})*)", re.DOTALL)
_ENCODED: Final = re.compile(rb"%(..)")
_TO_ENCODE: Final = re.compile(rb"[^!-$&-~]")


class ReplyError(ValueError):
    """A reply that the protocol does not know; the text says what is wrong with it."""


def question(key: bytes) -> bytes:
    """Return the line that asks for *key*."""
    return b"get " + _TO_ENCODE.sub(lambda match: b"%%%02X" % match[0][0], key) + b"\n"


def parse_reply(line: bytes) -> tuple[int, bytes]:
    """Return status and text of a reply without its newline.  Raises ReplyError."""
    match = _REPLY.fullmatch(line)
    if match is None:
        raise ReplyError("malformed reply")
    status = int(match[1])
    if status not in (FOUND, LATER, NOT_FOUND):
        raise ReplyError("bad status code")
    return status, _ENCODED.sub(lambda match: bytes.fromhex(match[1].decode()), match[2])
