"""saslauthd's protocol: four counted strings and an answer, a connection each.

Source: saslauthd(8), "communications protocol".
"""

from __future__ import annotations

from struct import Struct
from typing import Final

__all__ = ["ANSWER_SIZE", "LEAST", "MOST", "accepts", "question"]

_COUNT: Final = Struct(">H")
ANSWER_SIZE: Final = _COUNT
"""What stands before the answer: its length."""
LEAST: Final = 2
"""Bytes that an answer has at least."""
MOST: Final = 1023
"""Bytes of the answer that count."""


def question(login: bytes, password: bytes, service: bytes, realm: bytes) -> bytes:
    """Return the request.  Raises ValueError when a part is too long for it."""
    parts = []
    for word in (login, password, service, realm):
        if len(word) > 0xFFFF:
            raise ValueError("too long for saslauthd")
        parts.append(_COUNT.pack(len(word)) + word)
    return b"".join(parts)


def accepts(answer: bytes) -> bool:
    """Say whether the answer means that login and password belong together."""
    return answer.startswith(b"OK")
