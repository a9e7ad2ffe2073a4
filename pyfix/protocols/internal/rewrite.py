"""private/rewrite: the standard form of an address, and where its mail goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pyfix.formats.attributes import Attributes

PROTOCOL: Final = "trivial_rewrite_protocol"

# Bits of ResolveReply.resolve_flags.
FINAL: Final = 1
"""The address class is known: the domain is ours or in a table of ours."""
ROUTED: Final = 2
"""The sender wrote a route: user%elsewhere@ours, elsewhere!user, user@elsewhere@ours."""
ERROR: Final = 4
"""The address has no usable form."""
FAIL: Final = 8
"""A table could not be asked: try again later."""
CLASS_LOCAL: Final = 256
CLASS_ALIAS: Final = 512
CLASS_VIRTUAL: Final = 1024
CLASS_RELAY: Final = 2048
CLASS_DEFAULT: Final = 4096
CLASS_MASK: Final = CLASS_LOCAL | CLASS_ALIAS | CLASS_VIRTUAL | CLASS_RELAY | CLASS_DEFAULT

TABLES_CHANGED: Final = 1
"""Bit of the first flags of each reply: the server ends soon, drop the connection and what it said before."""


@dataclass(frozen=True, slots=True)
class RewriteRequest(Attributes):
    """Give an address, in external form, its standard form in a context."""

    request: Literal["rewrite"] = field(default="rewrite", init=False)
    rule: str
    """"local" or "remote"."""
    address: str


@dataclass(frozen=True, slots=True)
class RewriteReply(Attributes):
    """The address in its standard form, external."""

    flags: int
    address: str


@dataclass(frozen=True, slots=True)
class ResolveRequest(Attributes):
    """Where does mail for an address, in internal form, go?"""

    request: Literal["resolve"] = field(default="resolve", init=False)
    sender: str
    """Of the message, internal form: for the sender-dependent tables."""
    address: str


@dataclass(frozen=True, slots=True)
class VerifyRequest(Attributes):
    """The same for an address verification probe, with the address_verify_* parameters."""

    request: Literal["verify"] = field(default="verify", init=False)
    sender: str
    address: str


@dataclass(frozen=True, slots=True)
class ResolveReply(Attributes):
    """The delivery transport, the next-hop destination, and the recipient for the transport."""

    flags: int
    transport: str
    nexthop: str
    recipient: str
    resolve_flags: int = field(metadata={"wire": "flags"})
