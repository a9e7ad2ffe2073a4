"""Policy services: programs of the site that smtpd(8) asks what to do with a request.

Source: SMTPD_POLICY_README; postconf(5) smtpd_policy_service_timeout and its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyfix.protocols.policy import ReplyFault, cut_off, parse_reply
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.wire import Endpoint, NotConnected, Wire, WireEnd, WireError, WireTimeout
from pyfix.tables.served import not_connected

__all__ = ["PolicyService", "PolicyServiceSettings"]

_NO_ERROR: Final = "Application error"
_NOT_AT_FIRST: Final = ("Broken pipe", "Connection reset by peer", "No such file or directory", _NO_ERROR)
"""What is logged only when there is no other try: the service may just be starting anew."""


@dataclass(frozen=True, slots=True)
class PolicyServiceSettings:
    """How a service is asked."""

    timeout: float
    """Seconds for each step."""
    max_idle: float
    max_ttl: float
    request_limit: int
    """Requests over one connection; 0 for any number."""
    try_limit: int
    retry_delay: float


class PolicyService:
    """One policy service, with the connections that are open to it."""

    def __init__(self, name: str, endpoint: Endpoint, settings: PolicyServiceSettings) -> None:
        """*name* is what the log calls it."""
        self.name: Final = name
        self._endpoint = endpoint
        self._settings = settings
        from pyfix.runtime.wire_loop import LoopWires  # a command has no event loop

        self._wires = LoopWires(endpoint, settings.timeout, settings.max_idle, settings.max_ttl)
        self._uses: dict[Wire, int] = {}

    async def ask(self, request: bytes) -> str:
        """Return the action for a request; try again when there is no answer.  Raises ServiceError."""
        tries = 0
        while True:
            try:
                return await self._ask_once(request)
            except ReplyFault as fault:
                log.warning(str(fault).format(server=self.name))
                reason = _NO_ERROR
            except WireError as error:
                reason = _NO_ERROR if isinstance(error, WireEnd) else str(error)
                if isinstance(error, NotConnected):
                    not_connected(error, self.name, self._endpoint)
            tries += 1
            is_last = tries >= self._settings.try_limit
            if is_last or reason not in _NOT_AT_FIRST:
                log.warning(f"problem talking to server {self.name}: {reason}")
            if is_last:
                raise ServiceError(f"{self.name}: {reason}")
            await self._wires.pause(self._settings.retry_delay)

    async def _ask_once(self, request: bytes) -> str:
        wire = await self._wires.take()
        received = b""
        try:
            await wire.send(request)
            while (action := parse_reply(received)) is None:
                data = await wire.receive()
                if not data:
                    self._say_cut_off(cut_off(received))
                    raise WireEnd("end of input")
                received += data
        except WireTimeout:
            self._say_cut_off(cut_off(received, "timeout on"))
            self._drop(wire)
            raise
        except BaseException:
            self._drop(wire)
            raise
        # What comes behind an answer would be taken for the next one.
        wire.buffer = received[received.index(b"\n\n") + 2 :]
        self._keep(wire)
        return action

    def _say_cut_off(self, text: str) -> None:
        if text:
            log.warning(text.format(server=self.name))

    def _keep(self, wire: Wire) -> None:
        limit = self._settings.request_limit
        if limit > 0:
            uses = self._uses.pop(wire, 0) + 1
            if uses >= limit:
                wire.close()
                return
            self._uses[wire] = uses
        self._wires.keep(wire)

    def _drop(self, wire: Wire) -> None:
        self._uses.pop(wire, None)
        wire.close()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._wires.close()
