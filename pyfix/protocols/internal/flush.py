"""public/flush: which queued messages wait for which site, and delivery now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pyfix.formats.attributes import Attributes

PROTOCOL: Final = "queue_flush_protocol"

OK: Final = 0
BAD: Final = 3
DENIED: Final = 4
FAILED: Final = -1


@dataclass(frozen=True, slots=True)
class Add(Attributes):
    """A message was deferred that goes to a site."""

    request: Literal["add"] = field(default="add", init=False)
    site: str
    queue_id: str


@dataclass(frozen=True, slots=True)
class SendSite(Attributes):
    """Deliver now what waits for a site."""

    request: Literal["send_site"] = field(default="send_site", init=False)
    site: str


@dataclass(frozen=True, slots=True)
class SendFile(Attributes):
    """Deliver one message now."""

    request: Literal["send_file"] = field(default="send_file", init=False)
    queue_id: str


@dataclass(frozen=True, slots=True)
class Refresh(Attributes):
    """Go over all logs of sites and drop what is gone from the queue."""

    request: Literal["rfrsh"] = field(default="rfrsh", init=False)


@dataclass(frozen=True, slots=True)
class Purge(Attributes):
    """Go over all logs of sites and deliver all."""

    request: Literal["purge"] = field(default="purge", init=False)


@dataclass(frozen=True, slots=True)
class StatusReply(Attributes):
    """The outcome of any request."""

    status: int
