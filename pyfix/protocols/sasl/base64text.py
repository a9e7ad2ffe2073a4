"""Base64 as it stands in AUTH commands and their challenges.

Source: RFC 4954 section 4; RFC 4648 section 4.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import a2b_base64
from typing import Final

__all__ = ["BadBase64", "decoded", "encoded", "looks_like_base64"]

_ALPHABET: Final = re.compile(r"[A-Za-z0-9+/=]*")


_WHOLE: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class BadBase64(Exception):
    """A text is no base64; *incomplete*: it could become some."""

    def __init__(self, text: str, *, incomplete: bool = False) -> None:
        super().__init__(text)
        self.incomplete: Final = incomplete


def looks_like_base64(text: str) -> bool:
    """Say whether all characters of *text* occur in base64; their order is for the one who decodes it."""
    return _ALPHABET.fullmatch(text) is not None


def decoded(text: str) -> bytes:
    """Return what *text* stands for.  Raises BadBase64."""
    end = len(text) - len(text) % 4
    if _WHOLE.fullmatch(text, 0, end) is None:
        raise BadBase64(text)
    if end < len(text):
        raise BadBase64(text, incomplete=not text.endswith("=", 0, end))
    return a2b_base64(text)


def encoded(data: bytes) -> str:
    """Return *data* in base64, on one line."""
    return b64encode(data).decode("ascii")
