"""private/scache: save and find open connections by destination and by endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pyfix.formats.attributes import Attributes

PROTOCOL: Final = "connection_cache_protocol"

OK: Final = 0
BAD: Final = 1
FAILED: Final = 2


@dataclass(frozen=True, slots=True)
class SaveEndpoint(Attributes):
    """Save a connection, whose descriptor follows when the server has said that it is ready."""

    request: Literal["save_endp"] = field(default="save_endp", init=False)
    ttl: int
    label: str
    property: str


@dataclass(frozen=True, slots=True)
class FindEndpoint(Attributes):
    """Take a saved connection."""

    request: Literal["find_endp"] = field(default="find_endp", init=False)
    label: str


@dataclass(frozen=True, slots=True)
class SaveDestination(Attributes):
    """Say that connections to an endpoint serve a destination."""

    request: Literal["save_dest"] = field(default="save_dest", init=False)
    ttl: int
    label: str
    property: str
    endpoint_label: str = field(metadata={"wire": "label"})


@dataclass(frozen=True, slots=True)
class FindDestination(Attributes):
    """Take a saved connection that serves a destination."""

    request: Literal["find_dest"] = field(default="find_dest", init=False)
    label: str


@dataclass(frozen=True, slots=True)
class Status(Attributes):
    """The outcome of saving, or of a request that failed."""

    status: int


@dataclass(frozen=True, slots=True)
class FoundEndpoint(Attributes):
    """A connection was found; its descriptor follows when the client is ready."""

    status: int
    property: str


@dataclass(frozen=True, slots=True)
class FoundDestination(Attributes):
    """A connection for the destination was found; its descriptor follows."""

    status: int
    property: str
    endpoint_property: str = field(metadata={"wire": "property"})


@dataclass(frozen=True, slots=True)
class Ready(Attributes):
    """Sent before and after a descriptor, so that it travels alone."""

    dummy: str = ""
