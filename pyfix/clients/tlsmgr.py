"""Session ticket keys and cached TLS sessions, asked of tlsmgr(8).

Source: tlsmgr(8); postconf(5) tlsmgr_service_name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyfix.formats.ticketkey import TicketKey
from pyfix.protocols.internal.tlsmgr import (
    OK,
    PROTOCOL,
    DeleteRequest,
    LookupReply,
    LookupRequest,
    PolicyReply,
    PolicyRequest,
    StatusReply,
    TicketKeyReply,
    TicketKeyRequest,
    UpdateRequest,
)
from pyfix.runtime.ipc import Service, ServiceError
from pyfix.runtime.log import log

__all__ = ["CachePolicy", "TlsManager"]


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What is done with sessions of one kind."""

    cached: bool
    """tlsmgr keeps them."""
    timeout: int
    """Seconds that they can be resumed."""


NOTHING_KEPT: Final = CachePolicy(cached=False, timeout=0)


class TlsManager:
    """Asks for one kind of user: ``smtpd``, ``smtp`` or ``lmtp``.

    A manager that can't be asked costs handshakes more time, and no session more than that: the log says it once.
    """

    def __init__(self, service_name: str, kind: str, *, timeout: float, idle: float, ttl: float) -> None:
        self._service: Final = Service(
            f"private/{service_name}", PROTOCOL, timeout=timeout, idle=idle, ttl=ttl
        )
        self.kind: Final = kind

    async def policy(self) -> CachePolicy:
        """Return what is done with sessions; nothing where the manager can't be asked."""
        try:
            found = await self._service.ask(PolicyRequest(cache_type=self.kind), PolicyReply)
        except ServiceError as error:
            self._complain(error)
            return NOTHING_KEPT
        if found.status != OK:
            log.warning(f"problem talking to service {self._service.path}: {self.kind} is not known")
            return NOTHING_KEPT
        return CachePolicy(cached=bool(found.cachable), timeout=found.timeout)

    async def lookup(self, cache_id: str) -> bytes:
        """Return a session that was saved, empty for none."""
        try:
            found = await self._service.ask(LookupRequest(cache_type=self.kind, cache_id=cache_id), LookupReply)
        except ServiceError as error:
            self._complain(error)
            return b""
        return found.session if found.status == OK else b""

    async def update(self, cache_id: str, session: bytes) -> None:
        """Save a session."""
        try:
            request = UpdateRequest(cache_type=self.kind, cache_id=cache_id, session=session)
            await self._service.ask(request, StatusReply)
        except ServiceError as error:
            self._complain(error)

    async def delete(self, cache_id: str) -> None:
        """Forget a session."""
        try:
            await self._service.ask(DeleteRequest(cache_type=self.kind, cache_id=cache_id), StatusReply)
        except ServiceError as error:
            self._complain(error)

    async def ticket_key(self, name: bytes = b"") -> TicketKey | None:
        """Return the key of that name, or the one for new tickets; None when there is none."""
        try:
            found = await self._service.ask(TicketKeyRequest(keyname=name), TicketKeyReply)
        except ServiceError as error:
            self._complain(error)
            return None
        return TicketKey.decode(found.keybuf) if found.status == OK else None

    def _complain(self, error: ServiceError) -> None:
        log.warning(f"problem talking to server {self._service.path}: {error}")
