"""Fast ETRN: which mail waits for which site, asked of flush(8).

Source: flush(8), ETRN_README; postconf(5) fast_flush_domains, flush_service_name.
"""

from __future__ import annotations

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal.flush import (
    FAILED,
    PROTOCOL,
    Add,
    Purge,
    Refresh,
    SendFile,
    SendSite,
    StatusReply,
)
from pyfix.runtime.ipc import ServiceError, call
from pyfix.runtime.log import log

__all__ = ["FlushClient"]


class FlushClient:
    """Asks flush(8); each answer is OK, BAD, DENIED or FAILED of protocols.internal.flush."""

    def __init__(self, service_name: str, timeout: float) -> None:
        self._path = f"public/{service_name}"
        self._timeout = timeout

    async def _ask(self, request: Attributes) -> int:
        try:
            return (await call(self._path, PROTOCOL, request, StatusReply, self._timeout)).status
        except ServiceError as error:
            log.warning(f"flush service: {error}")
            return FAILED

    async def add(self, site: str, queue_id: str) -> int:
        """Note that a message waits for *site*."""
        return await self._ask(Add(site=site, queue_id=queue_id))

    async def send_site(self, site: str) -> int:
        """Start delivery of what waits for *site*."""
        return await self._ask(SendSite(site=site))

    async def send_file(self, queue_id: str) -> int:
        """Start delivery of one message."""
        return await self._ask(SendFile(queue_id=queue_id))

    async def refresh(self) -> int:
        """Let the logs of old or empty sites go."""
        return await self._ask(Refresh())

    async def purge(self) -> int:
        """Start delivery of all that waits."""
        return await self._ask(Purge())
