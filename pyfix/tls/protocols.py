"""The TLS versions that parameters name.

Source: postconf(5) smtpd_tls_protocols, smtpd_tls_mandatory_protocols and their relatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["BadProtocols", "Versions", "parse_protocols"]

_NUMBERS: Final = {
    "sslv2": 0x0002, "sslv3": 0x0300, "tlsv1": 0x0301, "tlsv1.0": 0x0301, "tlsv1.1": 0x0302, "tlsv1.2": 0x0303,
    "tlsv1.3": 0x0304,
}  # fmt: skip
_EXCLUDABLE: Final = (0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304)
_HEXADECIMAL: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,4})")
_BOUND: Final = re.compile(r"(>=|<=)(.*)")


class BadProtocols(ValueError):
    """A word of the list names no version."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What is allowed; versions are the numbers of the protocol, such as 0x0303 for TLSv1.2."""

    lowest: int = 0
    """0: whatever the library has."""
    highest: int = 0
    excluded: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return f"{self.lowest:#06x}-{self.highest:#06x} without {sorted(self.excluded)}"


def parse_protocols(words: Iterable[str]) -> Versions:
    """Read a list of versions: ``>=TLSv1.2``, ``<=0x0304``, ``!SSLv3``, ``TLSv1.3``; colons separate, too.

    Where versions are named without a sign, all others are excluded.  The last bound of a kind counts.

    Raises BadProtocols.
    """
    lowest = highest = 0
    included: set[int] = set()
    excluded: set[int] = set()
    for word in (part for text in words for part in text.split(":") if part):
        if bound := _BOUND.match(word):
            number = _bound(bound[2])
            if bound[1] == ">=":
                lowest = number
            else:
                highest = number
        elif word.startswith("!"):
            excluded.add(_named(word[1:]))
        else:
            included.add(_named(word))
    if included:
        excluded |= set(_EXCLUDABLE) - included
    return Versions(lowest, highest, frozenset(excluded))


def _named(name: str) -> int:
    number = _NUMBERS.get(name.lower())
    if number is None:
        raise BadProtocols(name)
    return number


def _bound(text: str) -> int:
    """Return the number of a bound; 0, or nothing, is no bound."""
    if not text or text == "0":
        return 0
    if found := _HEXADECIMAL.fullmatch(text):
        return int(found[1], 16)
    return _named(text)
