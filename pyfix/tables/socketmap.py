"""socketmap: a server in Sendmail's socketmap protocol.

Source: socketmap_table(5).
"""

from __future__ import annotations

from pyfix.formats.netstring import NetstringError, NetstringTooLong, decode
from pyfix.protocols.socketmap import ERRORS, parse_reply, question
from pyfix.runtime.wire import NotConnected, WireEnd, WireError, WireTimeout
from pyfix.tables.endpoint import endpoint
from pyfix.tables.notice import warn
from pyfix.tables.served import ServedTable, key_bytes, not_connected, over_wire, refuse_unauthenticated, value_text
from pyfix.tables.table import Opening, TableError, fail_query, masked

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

    from pyfix.runtime.wire import Wire, Wires

_MOST_TRIES: Final = 2
_PAUSE: Final = 1.0
_MOST_SHOWN: Final = 200


class SocketmapTable(ServedTable):
    """``socketmap:inet:host:port:name`` or ``socketmap:unix:path:name``; the server is asked for whole keys only."""

    kind = "socketmap"
    pattern = True

    __slots__ = ("_limit", "_map", "_shown")

    def __init__(self, name: str, opening: Opening) -> None:
        refuse_unauthenticated(f"socketmap:{name}", opening)
        server, colon, map_name = name.rpartition(":")
        if not colon:
            raise TableError("socketmap requires server:socketmap argument")
        place, self._shown = endpoint(server, opening)
        super().__init__(name, opening, place)
        self._map: Final = key_bytes(map_name)
        self._limit: Final = int(opening.setting("socketmap_max_reply_size", "100000"))

    async def answer(self, key: str, wires: Wires) -> str | None:
        """Ask, twice while nobody answers, with a second between.  Raises TableError."""
        request = question(self._map, key_bytes(key))

        async def ask(wire: Wire) -> bytes:
            await wire.send(request)
            while True:
                found = decode(wire.buffer, self._limit)
                if found is not None:
                    reply, wire.buffer = found
                    return reply
                await wire.more()

        for tried in range(_MOST_TRIES):
            last = tried == _MOST_TRIES - 1
            if tried:
                await wires.pause(_PAUSE)
            try:
                reply = await over_wire(wires, ask)
            except WireError as error:
                if last:
                    self._failed(error)
                continue
            except NetstringError as error:
                warn(f"table {self.name} lookup error: {error}")
                too_long = isinstance(error, NetstringTooLong)
                fail_query(self, f"query error: {'Message too long' if too_long else 'Application error'}")
            return self._value(reply)
        raise AssertionError("the last try returns or raises")

    def _failed(self, error: WireError) -> None:
        reason = str(error)
        if isinstance(error, NotConnected):
            not_connected(error, self._shown, self._endpoint)
        elif isinstance(error, WireEnd):
            reason = "unexpected disconnect"
        elif isinstance(error, WireTimeout):
            reason = "time limit exceeded"
        warn(f"table {self.name} lookup error: {reason}")
        fail_query(self, f"query error: {reason}" if isinstance(error, NotConnected) else "query error")

    def _value(self, reply: bytes) -> str | None:
        status, text = parse_reply(reply)
        if status == b"OK":
            return value_text(text)
        if status == b"NOTFOUND":
            return None
        reason = masked(value_text(text[:_MOST_SHOWN]))
        warn(f"{self.name} socketmap server {ERRORS.get(status, 'unknown')} error{': ' + reason if reason else ''}")
        raise TableError(f"table {self.name}: query error")
