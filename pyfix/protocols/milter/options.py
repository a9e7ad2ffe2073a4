"""What both sides can do: versions of the protocol, modifications, events that are not wanted or not answered.

Source: postconf(5) milter_protocol; MILTER_README; the milter protocol of Sendmail 8.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pyfix.protocols.milter.packet import OPTIONS, Packet, encode_packet

__all__ = ["BadProtocol", "Offer", "Options", "parse_options", "parse_protocol"]

# Modifications that a milter may ask for.
ALL_MODIFICATIONS: Final = 0x1FF

# Events that a milter does not want.
NO_CONNECT: Final = 1 << 0
NO_HELO: Final = 1 << 1
NO_MAIL: Final = 1 << 2
NO_RCPT: Final = 1 << 3
NO_BODY: Final = 1 << 4
NO_HEADERS: Final = 1 << 5
NO_END_OF_HEADER: Final = 1 << 6
NO_UNKNOWN: Final = 1 << 8
NO_DATA: Final = 1 << 9
SKIP: Final = 1 << 10
"""The milter may answer that it wants no more events of a kind."""
REJECTED_RECIPIENTS: Final = 1 << 11
"""The milter wants to hear of recipients that are refused."""
LEADING_SPACE: Final = 1 << 20
"""Bodies of headers begin with the blank that follows the colon."""

# Events that a milter does not answer.
NO_REPLY_HEADER: Final = 1 << 7
NO_REPLY_CONNECT: Final = 1 << 12
NO_REPLY_HELO: Final = 1 << 13
NO_REPLY_MAIL: Final = 1 << 14
NO_REPLY_RCPT: Final = 1 << 15
NO_REPLY_DATA: Final = 1 << 16
NO_REPLY_UNKNOWN: Final = 1 << 17
NO_REPLY_END_OF_HEADER: Final = 1 << 18
NO_REPLY_BODY: Final = 1 << 19

_EVENTS_2: Final = 0x7F
_EVENTS_3: Final = _EVENTS_2 | NO_UNKNOWN
_EVENTS_4: Final = _EVENTS_3 | NO_DATA
_EVENTS_6: Final = 0x1FFFFF
_VERSIONS: Final = {"2": (2, _EVENTS_2), "3": (3, _EVENTS_3), "4": (4, _EVENTS_4), "6": (6, _EVENTS_6)}
_MISSING: Final = {number: ~events & (NO_DATA | NO_UNKNOWN) for number, events in _VERSIONS.values()}
FIXED_SIZE: Final = 12
"""Bytes of the three numbers with which an answer begins."""
_EXTRAS: Final = {"no_header_reply": NO_REPLY_HEADER}

MACRO_STAGES: Final = ("connect", "helo", "mail", "rcpt", "data", "end_of_data", "end_of_header")
"""The stages by the numbers with which a milter asks for macros."""
_OLDEST: Final = 2


class BadProtocol(Exception):
    """milter_protocol makes no sense; the text says why."""


class Conflict(Exception):
    """The milter can't do what we do, or wants what we can't; the text says what."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What we say that we can do."""

    version: int
    events: int
    modifications: int = ALL_MODIFICATIONS

    def encode(self) -> bytes:
        """Return the packet."""
        return encode_packet(OPTIONS, struct.pack(">III", self.version, self.modifications, self.events))


@dataclass(frozen=True, slots=True)
class Options:
    """What was agreed on."""

    version: int
    modifications: int
    events: int
    """The bits of what is not wanted or not answered, and of other wishes."""
    missing: int = 0
    """The bits of events that this version of the protocol does not have."""
    symbols: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The macros that the milter asked for, by stage."""


def parse_protocol(text: str) -> Offer:
    """Read milter_protocol: a version, and words for single features.  Raises BadProtocol."""
    version = events = 0
    for word in text.replace(",", " ").split():
        if word in _VERSIONS:
            version, offered = _VERSIONS[word]
            events |= offered
        elif word in _EXTRAS:
            events |= _EXTRAS[word]
        else:
            raise BadProtocol(f"bad protocol information: {word}")
    if not version:
        raise BadProtocol("no protocol version information")
    return Offer(version, events)


def parse_options(packet: Packet, offer: Offer, warn: Callable[[str], None]) -> Options:
    """Read the milter's answer to an offer.

    *warn* hears of what is odd and does not matter.  Raises BadPacket, Conflict.
    """
    version, modifications, events = packet.number(), packet.number(), packet.number()
    if version > offer.version:
        raise Conflict(f"protocol version {version} conflict with MTA protocol version {offer.version}")
    if modifications & ~offer.modifications:
        raise Conflict(f"request mask 0x{modifications:x} conflict with MTA request mask 0x{offer.modifications:x}")
    if version < _OLDEST:
        warn(f"unexpected protocol version {version}")
    symbols: dict[str, tuple[str, ...]] = {}
    while packet.data:
        number = packet.number()
        names = packet.word().decode("utf-8", "surrogateescape").replace(",", " ").split()
        if number < len(MACRO_STAGES):
            symbols[MACRO_STAGES[number]] = tuple(names)
        else:
            warn(f"ignoring unknown macro type {number}")
    return Options(version, modifications, events & offer.events, _MISSING.get(version, 0), symbols)
