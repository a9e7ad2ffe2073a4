"""private/anvil: connection and request counts by client.  Plain encoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from pyfix.formats.attributes import Attributes, Encoding

PROTOCOL: Final = "anvil_protocol"

OK: Final = 0
FAILED: Final = -1


class _Plain(Attributes):
    __slots__ = ()
    ENCODING: ClassVar[Encoding] = "plain"


@dataclass(frozen=True, slots=True)
class Connect(_Plain):
    """A client connected; *ident* is ``service:address``."""

    request: Literal["connect"] = field(default="connect", init=False)
    ident: str


@dataclass(frozen=True, slots=True)
class ConnectReply(_Plain):
    """Open connections of this client, and connections in the last time unit."""

    status: int
    count: int
    rate: int


@dataclass(frozen=True, slots=True)
class Disconnect(_Plain):
    """A client disconnected."""

    request: Literal["disconnect"] = field(default="disconnect", init=False)
    ident: str


@dataclass(frozen=True, slots=True)
class StatusReply(_Plain):
    """The request was understood, or not."""

    status: int


@dataclass(frozen=True, slots=True)
class Event(_Plain):
    """A client did something that is counted: message, recipient, newtls, auth (newtls_status only asks)."""

    request: str
    ident: str


@dataclass(frozen=True, slots=True)
class CountReply(_Plain):
    """How often in the last time unit."""

    status: int
    rate: int


@dataclass(frozen=True, slots=True)
class Lookup(_Plain):
    """Ask for all counts of a client."""

    request: Literal["lookup"] = field(default="lookup", init=False)
    ident: str


@dataclass(frozen=True, slots=True)
class LookupReply(_Plain):
    """All counts of a client."""

    status: int
    count: int
    rate: int
    mail: int
    rcpt: int
    newtls: int
    auth: int
