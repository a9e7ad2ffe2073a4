"""What an SMTP session can do as one number, in which programs tell each other of a session that is kept.

Source: the properties of sessions that Postfix's smtp(8) gives to scache(8), seen with one server for each keyword.
"""

from __future__ import annotations

from typing import Final

from pyfix.protocols.smtp.offer import Offer

__all__ = ["BEST_SERVER", "offer_of", "offered"]

_ESMTP: Final = 1
_KEYWORDS: Final = {
    "8BITMIME": 1 << 1, "PIPELINING": 1 << 2, "SIZE": 1 << 3, "STARTTLS": 1 << 4, "AUTH": 1 << 5, "DSN": 1 << 15,
    "SMTPUTF8": 1 << 21,
}  # fmt: skip
_XFORWARD: Final = {
    "NAME": 1 << 7, "ADDR": 1 << 8, "PROTO": 1 << 9, "HELO": 1 << 10, "SOURCE": 1 << 11, "PORT": 1 << 18,
    "IDENT": 1 << 20,
}  # fmt: skip
BEST_SERVER: Final = 1 << 12
"""No server of the destination has a better preference; said of the destination, not of the session."""


def offered(offer: Offer, *, esmtp: bool) -> int:
    """Return the number for what a server offers."""
    bits = _ESMTP if esmtp else 0
    for keyword, bit in _KEYWORDS.items():
        if keyword in offer:
            bits |= bit
    for attribute in offer.xforward:
        bits |= _XFORWARD[attribute]
    return bits


def offer_of(bits: int) -> Offer:
    """Return what a server offers by the number; how big a message may be is not told."""
    offer = Offer()
    offer.keywords.update(keyword for keyword, bit in _KEYWORDS.items() if bits & bit)
    offer.xforward = frozenset(attribute for attribute, bit in _XFORWARD.items() if bits & bit)
    if offer.xforward:
        offer.keywords.add("XFORWARD")
    return offer
