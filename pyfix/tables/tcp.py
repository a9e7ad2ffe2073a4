"""tcp: a server that answers ``get KEY`` lines.

Source: tcp_table(5).
"""

from __future__ import annotations

from pyfix.protocols.tcp_table import FOUND, LINE_LIMIT, NOT_FOUND, ReplyError, parse_reply, question
from pyfix.runtime.wire import LineTooLong, NotConnected, WireEnd, WireError
from pyfix.tables.endpoint import inet_endpoint
from pyfix.tables.notice import warn
from pyfix.tables.served import ServedTable, key_bytes, not_connected, over_wire, refuse_unauthenticated, value_text
from pyfix.tables.table import Opening, TableError, fail_query, masked

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

    from pyfix.runtime.wire import Wire, Wires

_MOST_TRIES: Final = 10
_PAUSE: Final = 1.0


class TcpTable(ServedTable):
    """``tcp:host:port``; the server is asked for whole keys only."""

    kind = "tcp"
    pattern = True
    ttl = 1000.0

    __slots__ = ("_server",)

    def __init__(self, name: str, opening: Opening) -> None:
        refuse_unauthenticated(f"tcp:{name}", opening, "security sensitive")
        super().__init__(name, opening, inet_endpoint(name, opening))
        self._server: Final = name

    async def answer(self, key: str, wires: Wires) -> str | None:
        """Ask, ten times while nobody answers, with a second between.  Raises TableError."""
        request = question(key_bytes(key))

        async def ask(wire: Wire) -> bytes:
            await wire.send(request)
            return await wire.line(LINE_LIMIT)

        reason = ""
        for tried in range(_MOST_TRIES):
            if tried:
                await wires.pause(_PAUSE)
            try:
                line = await over_wire(wires, ask)
            except WireError as error:
                reason = self._failed(error)
                continue
            try:
                status, text = parse_reply(line)
            except ReplyError as error:
                warn(f"read TCP map reply from {self._server}: {error}: {masked(value_text(line))}")
                fail_query(self)
            if status == FOUND:
                return value_text(text)
            if status == NOT_FOUND:
                return None
            fail_query(self)
        raise TableError(f"table {self.name}: query error{': ' + reason if reason else ''}")

    def _failed(self, error: WireError) -> str:
        """Warn, and return the reason as the lookup's error says it."""
        if isinstance(error, NotConnected):
            not_connected(error, f"TCP map {self._server}", self._endpoint)
            return str(error)
        if isinstance(error, LineTooLong):
            warn(f"read TCP map reply from {self._server}: {error}")
            return ""
        if isinstance(error, WireEnd):
            warn(f"read TCP map reply from {self._server}: unexpected EOF")
            return ""
        warn(f"read TCP map reply from {self._server}: unexpected EOF ({error})")
        return str(error)
