"""private/tlsmgr: randomness, TLS session caches and session ticket keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pyfix.formats.attributes import Attributes

PROTOCOL: Final = "tlsmgr_protocol"

OK: Final = 0
ERROR: Final = -1
FAILED: Final = -2


@dataclass(frozen=True, slots=True)
class SeedRequest(Attributes):
    """Ask for random bytes."""

    request: Literal["seed"] = field(default="seed", init=False)
    size: int


@dataclass(frozen=True, slots=True)
class SeedReply(Attributes):
    """Random bytes."""

    status: int
    seed: bytes


@dataclass(frozen=True, slots=True)
class PolicyRequest(Attributes):
    """Ask whether sessions of a kind (smtpd, smtp, lmtp) are cached."""

    request: Literal["policy"] = field(default="policy", init=False)
    cache_type: str


@dataclass(frozen=True, slots=True)
class PolicyReply(Attributes):
    """Whether sessions are cached and for how many seconds."""

    status: int
    cachable: int
    timeout: int


@dataclass(frozen=True, slots=True)
class LookupRequest(Attributes):
    """Ask for a saved session."""

    request: Literal["lookup"] = field(default="lookup", init=False)
    cache_type: str
    cache_id: str


@dataclass(frozen=True, slots=True)
class LookupReply(Attributes):
    """A saved session."""

    status: int
    session: bytes


@dataclass(frozen=True, slots=True)
class UpdateRequest(Attributes):
    """Save a session."""

    request: Literal["update"] = field(default="update", init=False)
    cache_type: str
    cache_id: str
    session: bytes


@dataclass(frozen=True, slots=True)
class DeleteRequest(Attributes):
    """Forget a session."""

    request: Literal["delete"] = field(default="delete", init=False)
    cache_type: str
    cache_id: str


@dataclass(frozen=True, slots=True)
class StatusReply(Attributes):
    """The outcome of update, delete or a request that failed."""

    status: int


@dataclass(frozen=True, slots=True)
class TicketKeyRequest(Attributes):
    """Ask for a session ticket key by its name, or for the current one by an empty name."""

    request: Literal["tktkey"] = field(default="tktkey", init=False)
    keyname: bytes


@dataclass(frozen=True, slots=True)
class TicketKeyReply(Attributes):
    """A session ticket key in its C form; empty when there is none of that name."""

    status: int
    keybuf: bytes
