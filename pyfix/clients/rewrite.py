"""The standard form of an address, asked of trivial-rewrite(8), with a short memory.

Source: trivial-rewrite(8); postconf(5) local_header_rewrite_clients, remote_header_rewrite_domain.
"""

from __future__ import annotations

from typing import Final, Literal

from pyfix.formats.address import external_to_internal, internal_to_external
from pyfix.protocols.internal.rewrite import TABLES_CHANGED, RewriteReply, RewriteRequest
from pyfix.runtime.ipc import Service, ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.task import sleep

__all__ = ["Rewriter"]

_MOST_REMEMBERED: Final = 1000
_REMEMBERED_FOR: Final = 10.0
_TRIES: Final = 3
_PAUSE: Final = 1.0


class Rewriter:
    """Rewrites addresses and remembers the answers for some seconds, or until the server's tables change."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    async def rewrite(self, address: str, rule: Literal["local", "remote"]) -> str:
        """Return *address*, external form, in its standard form, external too.

        Raises ServiceError when the server can't be asked.
        """
        key = (rule, address)
        entry = self._known.get(key)
        now = current().now
        if entry is not None and entry[1] > now:
            return entry[0]
        reply = await self._ask(RewriteRequest(rule=rule, address=address))
        if reply.flags & TABLES_CHANGED:
            self._known.clear()
            self._service.disconnect()
        else:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = (reply.address, now + _REMEMBERED_FOR)
        return reply.address

    async def rewrite_internal(self, address: str, rule: Literal["local", "remote"]) -> str:
        """Do the same with *address* and result in internal form.  Raises ServiceError."""
        return external_to_internal(await self.rewrite(internal_to_external(address), rule))

    async def _ask(self, request: RewriteRequest) -> RewriteReply:
        for attempt in range(_TRIES):
            try:
                return await self._service.ask(request, RewriteReply)
            except ServiceError as error:
                log.warning(f"problem talking to service {self._service.path.rpartition('/')[2]}: {error}")
                if attempt == _TRIES - 1:
                    raise
                await sleep(_PAUSE)
        raise AssertionError("the loop returns or raises")
