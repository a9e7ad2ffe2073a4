"""private/proxymap and private/proxywrite: lookup tables on behalf of other daemons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pyfix.formats.attributes import Attributes

__all__ = [
    "BAD",
    "CONFIG",
    "DENIED",
    "NO_KEY",
    "OK",
    "PROTOCOL",
    "RETRY",
    "Delete",
    "Delete37",
    "Found",
    "Found37",
    "Lookup",
    "Lookup37",
    "NextEntry",
    "NextEntry37",
    "Open",
    "Sequence",
    "Sequence37",
    "StatusReply",
    "TableStatus",
    "Update",
    "Update37",
]

PROTOCOL: Final = "proxymap_protocol"

OK: Final = 0
NO_KEY: Final = 1
RETRY: Final = 2
BAD: Final = 3
DENIED: Final = 4
CONFIG: Final = 5


@dataclass(frozen=True, slots=True)
class Open(Attributes):
    """May this table be used, and what are its flags?"""

    request: Literal["open"] = field(default="open", init=False)
    table: str
    instance_flags: int


@dataclass(frozen=True, slots=True)
class Lookup(Attributes):
    """Look a key up."""

    request: Literal["lookup"] = field(default="lookup", init=False)
    table: str
    instance_flags: int
    flags: int
    key: str


@dataclass(frozen=True, slots=True)
class Update(Attributes):
    """Set a key's value."""

    request: Literal["update"] = field(default="update", init=False)
    table: str
    instance_flags: int
    flags: int
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Delete(Attributes):
    """Remove a key."""

    request: Literal["delete"] = field(default="delete", init=False)
    table: str
    instance_flags: int
    flags: int
    key: str


@dataclass(frozen=True, slots=True)
class Sequence(Attributes):
    """Go through a table: function 0 is the first entry, 1 the next."""

    request: Literal["sequence"] = field(default="sequence", init=False)
    table: str
    instance_flags: int
    flags: int
    function: int


@dataclass(frozen=True, slots=True)
class TableStatus(Attributes):
    """The answer to open, update and delete."""

    status: int
    flags: int


@dataclass(frozen=True, slots=True)
class Found(Attributes):
    """The answer to lookup."""

    status: int
    flags: int
    value: str


@dataclass(frozen=True, slots=True)
class NextEntry(Attributes):
    """The answer to sequence."""

    status: int
    flags: int
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class StatusReply(Attributes):
    """The answer to a request that is not understood."""

    status: int


# As Postfix 3.7 has them: all flags together, and no flags in replies.


@dataclass(frozen=True, slots=True)
class Lookup37(Attributes):
    """Look a key up."""

    request: Literal["lookup"] = field(default="lookup", init=False)
    table: str
    flags: int
    key: str


@dataclass(frozen=True, slots=True)
class Update37(Attributes):
    """Set a key's value."""

    request: Literal["update"] = field(default="update", init=False)
    table: str
    flags: int
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Delete37(Attributes):
    """Remove a key."""

    request: Literal["delete"] = field(default="delete", init=False)
    table: str
    flags: int
    key: str


@dataclass(frozen=True, slots=True)
class Sequence37(Attributes):
    """Go through a table: function 0 is the first entry, 1 the next."""

    request: Literal["sequence"] = field(default="sequence", init=False)
    table: str
    flags: int
    function: int


@dataclass(frozen=True, slots=True)
class Found37(Attributes):
    """The answer to lookup."""

    status: int
    value: str


@dataclass(frozen=True, slots=True)
class NextEntry37(Attributes):
    """The answer to sequence."""

    status: int
    key: str
    value: str
