"""proxymap(8), read-only as proxymap and with updates as proxywrite: tables for other daemons.

Source: proxymap(8); postconf(5) proxy_read_maps, proxy_write_maps.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Words
from contextlib import suppress
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.proxymap import ProxymapSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.proxymap.approval import approved_tables, without_prefix
from pyfix.formats.attributes import AttributeListError, Attributes, decode_pairs
from pyfix.protocols.internal.proxymap import (
    BAD,
    DENIED,
    NO_KEY,
    OK,
    PROTOCOL,
    RETRY,
    Delete,
    Found,
    Lookup,
    NextEntry,
    Open,
    Sequence,
    StatusReply,
    TableStatus,
    Update,
)
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.ipc import handshake, next_request
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from pyfix.tables.build import TableBuild, can_build
from pyfix.tables.flags import DUP_REPLACE, ORDINARY, SYNC_UPDATE
from pyfix.tables.indexed import IndexedTable
from pyfix.tables.source import UnavailableTable, open_or_unavailable, restart_if_changed
from pyfix.tables.table import Opening, Table, TableError

_WRITE_SERVICE: Final = "proxywrite"
_MESSAGES: Final[dict[str, type[Attributes]]] = {
    "open": Open,
    "lookup": Lookup,
    "update": Update,
    "delete": Delete,
    "sequence": Sequence,
}
_FIRST: Final = 0


class _NotSupported(Exception):
    """A table of this type cannot do what it is asked for."""


class Proxymap(Daemon):
    """Opens each approved table once and answers for it."""

    program = "proxymap"
    capacity = 500

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = ProxymapSettings(snapshot)
        self.settings.check()
        self._writes = invocation.service == self.settings.proxywrite_service_name
        if not self._writes and invocation.service != self.settings.proxymap_service_name:
            raise ConfigError(
                f'invalid service name: "{invocation.service}" - service name must be '
                f'"{self.settings.proxywrite_service_name}" or "{self.settings.proxymap_service_name}"'
            )
        self._list = "proxy_write_maps" if self._writes else "proxy_read_maps"
        self._approved = approved_tables(snapshot.value(self._list))
        self._made: set[str] = set()
        """Tables that were there, or were made, when they were first opened for writing."""
        self._positions: dict[str, Iterator[tuple[str, str]]] = {}

    async def serve(self, stream: Stream) -> None:
        """Answer one client's requests."""
        stream.write(handshake(PROTOCOL))
        try:
            await self._serve(stream)
        except AttributeListError as error:
            log.warning(f"{self.invocation.service} socket: {error}")

    async def _serve(self, stream: Stream) -> None:
        while (data := await next_request(stream)) is not None:
            try:
                pairs = decode_pairs(data)
                if not pairs or pairs[0][0] != "request":
                    log.warning(_nameless(pairs, f"{self.invocation.service} socket"))
                    return
                request, old = _parse(pairs)
            except AttributeListError as error:
                log.warning(str(error))
                stream.write(StatusReply(BAD).encode())
                continue
            try:
                reply = await self._answer(request)
            except (ConfigError, _NotSupported) as error:
                # Postfix's process ends here: its client gets no answer.  Ours has more of them.
                log.fatal(str(error))
                return
            stream.write(_without_flags(reply, request) if old else reply.encode())
            # What proxywrite serves is changed by itself.
            if not self._writes and not self._retiring and restart_if_changed():
                self.retire()

    async def _answer(self, request: Attributes) -> Attributes:
        name = without_prefix(getattr(request, "table", ""))
        if ":" not in name:
            return _failed(request, BAD)
        if isinstance(request, (Update, Delete)) and not self._writes:
            log.warning(f"refusing {name} {request.request} request on non-{_WRITE_SERVICE} service")
            return TableStatus(DENIED, 0)
        if name not in self._approved:
            access = "read-write" if self._writes else "read-only"
            log.warning(f'request for unapproved table: "{name}"')
            log.warning(f"to approve this table for {access} access, list proxy:{name} in main.cf:{self._list}")
            return _failed(request, DENIED)
        return await self._do(request, name)

    async def _do(self, request: Attributes, name: str) -> Attributes:
        flags = getattr(request, "instance_flags", ORDINARY)
        if isinstance(request, (Update, Delete)):
            return self._write(request, name, flags)
        if self._writes and isinstance(request, Open):
            # Where that fails the table cannot be opened either, which is told of then.
            with suppress(TableError):
                self._create(name, flags)
        table = open_or_unavailable(name, self.snapshot, flags=flags)
        match request:
            case Lookup(key=key, flags=asked):
                return await _found(table, key, asked)
            case Sequence(function=function, flags=asked):
                return self._next(table, name, function, asked)
        return TableStatus(OK, table.flags)

    def _next(self, table: Table, name: str, function: int, asked: int) -> Attributes:
        try:
            if function == _FIRST or name not in self._positions:
                self._positions[name] = _entries(table)
            pair = next(self._positions[name], None)
        except TableError as error:
            if _is_silent(table):
                log.warning(str(error))
            return NextEntry(RETRY, asked, "", "")
        if pair is None:
            return NextEntry(NO_KEY, table.flags, "", "")
        return NextEntry(OK, table.flags, *pair)

    def _create(self, name: str, flags: int) -> None:
        """Make a table that is not there yet: whoever opens one for writing may."""
        kind, _, path = name.partition(":")
        if can_build(kind) and name not in self._made:
            self._made.add(name)
            build = TableBuild(kind, path, Opening(self.snapshot, flags), keep=True)
            if os.path.exists(build.path):
                build.abandon()
            else:
                build.finish()

    def _write(self, request: Update | Delete, name: str, flags: int) -> Attributes:
        kind, _, path = name.partition(":")
        if not can_build(kind) and kind != "fail":
            table = open_or_unavailable(name, self.snapshot, flags=flags)
            if not isinstance(table, UnavailableTable):
                raise _NotSupported(f"table {name}: {request.request} operation is not supported")
        try:
            build = TableBuild(kind, path, Opening(self.snapshot, flags | DUP_REPLACE), keep=True)
        except TableError as error:
            if kind != "fail":
                log.warning(f"{name} is unavailable. {error}")
            asked = request.flags | SYNC_UPDATE | (DUP_REPLACE if isinstance(request, Update) else 0)
            return TableStatus(RETRY, asked)
        try:
            if isinstance(request, Update):
                build.put(request.key, request.value)
                found = True
            else:
                found = build.remove(request.key)
        except BaseException:
            build.abandon()
            raise
        build.finish()
        return TableStatus(OK if found else NO_KEY, flags)


async def _found(table: Table, key: str, asked: int) -> Attributes:
    """Look a key up; *asked* are the flags of the request."""
    try:
        value = await table.find(key)
    except TableError as error:
        if _is_silent(table):
            log.warning(str(error))
        return Found(RETRY, asked, "")
    return Found(NO_KEY, asked, "") if value is None else Found(OK, asked, value)


def _entries(table: Table) -> Iterator[tuple[str, str]]:
    """Return all entries of a table.  Raises TableError for one that cannot tell."""
    if isinstance(table, UnavailableTable):
        table.find_now("")
    items: Callable[[], Iterator[tuple[str, str]]] | None = getattr(table, "items", None)
    if items is None:
        if table.kind == "fail":
            raise TableError
        raise _NotSupported(f"table {table.name}: sequence operation is not supported")
    return iter(items())


def _is_silent(table: Table) -> bool:
    """Say whether a table leaves it to us to tell of its errors: files do; others tell, or fail by design."""
    return isinstance(table, IndexedTable)


def _nameless(pairs: list[tuple[str, str]], where: str) -> str:
    if not pairs:
        return f"missing attribute request in input from {where}"
    return f"unexpected attribute {pairs[0][0]} from {where} (expecting: request)"


def _parse(pairs: list[tuple[str, str]]) -> tuple[Attributes, bool]:
    """Return the request, and whether it is in the form of Postfix 3.7, which has ``flags`` only.

    Raises AttributeListError.
    """
    name = pairs[0][1]
    message = _MESSAGES.get(name)
    if message is None:
        raise AttributeListError(f'unrecognized request: "{name}", ignored')
    old = not any(attribute == "instance_flags" for attribute, _value in pairs)
    if old:
        flags = next((value for attribute, value in pairs if attribute == "flags"), "0")
        pairs.insert(2, ("instance_flags", flags))
    return message.from_pairs(pairs), old


def _failed(request: Attributes, status: int) -> Attributes:
    match request:
        case Lookup():
            return Found(status, 0, "")
        case Sequence():
            return NextEntry(status, 0, "", "")
    return TableStatus(status, 0)


def _without_flags(reply: Attributes, request: Attributes) -> bytes:
    """Return a reply in the form of Postfix 3.7, in which only ``open`` answers with flags."""
    if isinstance(request, Open):
        return reply.encode()
    text = reply.encode().decode("utf-8", "surrogateescape")
    words = text.split("\0")
    at = words.index("flags")
    return "\0".join(words[:at] + words[at + 2 :]).encode("utf-8", "surrogateescape")


def main(argv: Words[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Proxymap, argv)
