"""Whoever knows passwords, as smtpd(8) sees it.

Source: SASL_README; postconf(5) smtpd_sasl_type, smtpd_sasl_path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pyfix.protocols.sasl.properties import Demands, Mechanism
from pyfix.protocols.sasl.step import Step

__all__ = ["Dialogue", "Peer", "SaslService", "ServiceFatal"]


class ServiceFatal(Exception):
    """The service can't be had as it is configured; where a process serves one client, it would end with this text."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What the service is told of a client."""

    client_address: str
    server_address: str
    secured: bool
    """The session is encrypted."""


class Dialogue(ABC):
    """One client's way through one mechanism."""

    __slots__ = ()

    @abstractmethod
    async def start(self, response: str | None) -> Step:
        """Begin, with the initial response in base64 if the client gave one."""

    @abstractmethod
    async def respond(self, response: str) -> Step:
        """Go on with the client's answer to a challenge, in base64."""


class SaslService(ABC):
    """One for all clients of a process."""

    @abstractmethod
    async def mechanisms(self) -> Sequence[Mechanism]:
        """Return what it offers; nothing, with a warning in the log, when it can't be asked.  Raises ServiceFatal."""

    @abstractmethod
    def dialogue(self, mechanism: str, peer: Peer, demands: Demands) -> Dialogue:
        """Begin with a mechanism, which is the client's word; it need not be one that is offered."""

    def lack(self, _offered: Sequence[Mechanism]) -> str:
        """Return what to warn of when the site's demands leave none of the mechanisms; empty: nothing."""
        return ""
