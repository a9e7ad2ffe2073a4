"""A cache of TLS sessions of one kind, in memory, written behind to its table.

A value is the hexadecimal form of the time when the session was saved, eight bytes in the machine's order, and of the
session, as Postfix writes it.  As with Postfix nobody reads it again: a process begins with an empty table.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import Final

from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.tables.build import build_table, can_build
from pyfix.tables.source import with_type
from pyfix.tables.table import Opening, TableError

__all__ = ["SessionCache"]

_MOST_SESSIONS: Final = 20000
_TIME: Final = struct.Struct("=q")


class SessionCache:
    """Sessions by id, each for *lifetime* seconds; the oldest leave when there are too many.  Times: of the epoch."""

    def __init__(self, kind: str, reference: str, lifetime: int, snapshot: Snapshot, *, verbose: bool) -> None:
        """*kind*: smtpd, smtp or lmtp.  *reference*: the table.  *verbose*: what is done is logged."""
        self._kind: Final = kind
        self._reference = with_type(reference, snapshot)
        self._lifetime: Final = lifetime
        self._snapshot: Final = snapshot
        self._verbose: Final = verbose
        self._sessions: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        """By id: when it was saved, and the session."""
        self._saved: set[str] = set()
        self._dropped: set[str] = set()
        """What has changed since the table was written."""

    def open(self) -> None:
        """Begin with an empty table, whatever an earlier process has left in it."""
        self._note(f"open {self._kind} TLS cache {self._reference}")
        kind, _, name = self._reference.partition(":")
        if not can_build(kind):
            log.warning(f"{self._reference}: this table type cannot be written; sessions are kept in memory")
            self._reference = ""
            return
        try:
            build_table(kind, name, [], Opening(self._snapshot))
        except (TableError, OSError) as error:
            log.warning(f"{self._reference}: {error}")

    def _note(self, text: str) -> None:
        if self._verbose:
            log.info(text)

    @property
    def changed(self) -> bool:
        """Whether the table lacks something."""
        return bool(self._reference and (self._saved or self._dropped))

    def save(self, cache_id: str, session: bytes, now: int) -> None:
        """Keep a session; one with the same id is replaced."""
        self._note(f"put {self._kind} session id={cache_id} [data {len(session)} bytes]")
        self._note(f"write {self._kind} TLS cache entry {cache_id}: time={now} [data {len(session)} bytes]")
        self._sessions.pop(cache_id, None)
        self._sessions[cache_id] = (now, session)
        self._saved.add(cache_id)
        self._dropped.discard(cache_id)
        while len(self._sessions) > _MOST_SESSIONS:
            self._drop(next(iter(self._sessions)))

    def find(self, cache_id: str, now: int) -> bytes | None:
        """Return a session that is still good."""
        self._note(f"lookup {self._kind} session id={cache_id}")
        found = self._sessions.get(cache_id)
        if found is None:
            return None
        born, session = found
        self._note(f"read {self._kind} TLS cache entry {cache_id}: time={born} [data {len(session)} bytes]")
        if born + self._lifetime < now:
            self._drop(cache_id)
            return None
        return session

    def delete(self, cache_id: str) -> bool:
        """Forget a session; tell whether it was there."""
        self._note(f"delete {self._kind} session id={cache_id}")
        if cache_id not in self._sessions:
            return False
        self._drop(cache_id)
        return True

    def _drop(self, cache_id: str) -> None:
        del self._sessions[cache_id]
        self._saved.discard(cache_id)
        self._dropped.add(cache_id)

    def clean_up(self, now: int) -> None:
        """Forget what is too old."""
        self._note(f"tlsmgr_cache_run_event: start TLS {self._kind} session cache cleanup")
        for cache_id in [name for name, (born, _) in self._sessions.items() if born + self._lifetime < now]:
            self._drop(cache_id)

    def write(self) -> None:
        """Write to the table what has changed.  What cannot be written is only kept in memory."""
        if not self.changed:
            return
        saved, dropped = self._saved, self._dropped
        self._saved, self._dropped = set(), set()
        kind, _, name = self._reference.partition(":")
        try:
            if kind == "lmdb":
                self._write_changes(name, saved, dropped)
            else:
                build_table(kind, name, [(key, self._value(key)) for key in self._sessions], Opening(self._snapshot))
        except (TableError, OSError) as error:
            log.warning(f"{self._reference}: {error}")

    def _write_changes(self, name: str, saved: set[str], dropped: set[str]) -> None:
        from pyfix.tables.lmdb import LmdbTable, write_lmdb

        keys = sorted(saved)
        write_lmdb(
            name + LmdbTable.suffix,
            [_octets(key) for key in keys],
            [self._value(key).encode() for key in keys],
            int(Opening(self._snapshot).setting("lmdb_map_size", "16777216")),
            replace=False,
            remove=[_octets(key) for key in dropped],
        )

    def _value(self, cache_id: str) -> str:
        born, session = self._sessions[cache_id]
        return (_TIME.pack(born) + session).hex().upper()


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
