"""Patterns of IPv4 addresses: ``127.0.0.[2..5;10]``.

Source: postconf(5) reject_rbl_client: each octet is a number, or alternatives in brackets between semicolons, each of
them a number or a range ``low..high``.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["OctetPattern", "PatternError"]

_TOKEN: Final = re.compile(r"[0-9]+|\.\.|.", re.DOTALL)
_OCTETS: Final = 4
_LARGEST: Final = 255
_DIGITS: Final = 20


class PatternError(ValueError):
    """A malformed pattern; the text says what and where."""


class OctetPattern:
    """One pattern, read once."""

    __slots__ = ("_octets", "text")

    def __init__(self, text: str) -> None:
        """Raises PatternError."""
        self.text: Final = text
        self._octets: Final = _Reader(text).read()

    def matches(self, address: str) -> bool:
        """Say whether an IPv4 address in dotted form is one of these."""
        numbers = address.split(".")
        return len(numbers) == _OCTETS and all(
            int(number) in octet for number, octet in zip(numbers, self._octets, strict=True)
        )


class _Reader:
    """Takes a pattern apart."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def read(self) -> tuple[frozenset[int], ...]:
        if not self._tokens:
            raise PatternError("empty address pattern")
        octets = [self._octet()]
        while len(octets) < _OCTETS:
            self._expect(".", 'need "."')
            octets.append(self._octet())
        if self._at < len(self._tokens):
            raise self._error("garbage after pattern")
        return tuple(octets)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _expect(self, token: str, complaint: str) -> None:
        if self._peek() != token:
            raise self._error(complaint)
        self._at += 1

    def _number(self) -> int:
        token = self._peek()
        if not (token.isascii() and token.isdigit()) or len(token) > _DIGITS or int(token) > _LARGEST:
            raise self._error("need decimal number 0..255")
        self._at += 1
        return int(token)

    def _octet(self) -> frozenset[int]:
        if self._peek() != "[":
            return frozenset((self._number(),))
        self._at += 1
        found: set[int] = set()
        while True:
            low = high = self._number()
            if self._peek() == "..":
                self._at += 1
                high = self._number()
                if high < low:
                    self._at -= 1
                    raise self._error("numeric range error")
            found.update(range(low, high + 1))
            match self._peek():
                case "]":
                    self._at += 1
                    return frozenset(found)
                case ";":
                    self._at += 1
                case "":
                    raise self._error('missing "]" character')
                case _:
                    raise self._error('need ";" or "]"')

    def _error(self, complaint: str) -> PatternError:
        before, after = "".join(self._tokens[: self._at]), "".join(self._tokens[self._at + 1 :])
        return PatternError(f'{complaint} at "{before}>{self._peek()}<{after}"')
