"""What is known of addresses: the cache of verify(8), in memory, written behind to address_verify_map.

Each value is ``status:probed:updated:text`` with times in seconds since the epoch, as Postfix
writes it, so that either can go on with the other's file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyfix.config.snapshot import Snapshot
from pyfix.protocols.internal.verify import RECIPIENT_OK, RECIPIENT_UNKNOWN
from pyfix.runtime.log import log
from pyfix.tables.build import build_table, can_build
from pyfix.tables.indexed import IndexedTable
from pyfix.tables.source import open_table, with_type
from pyfix.tables.table import Opening, TableError

CLEANUP_KEY: Final = "_LAST_CACHE_CLEANUP_COMPLETED_"


@dataclass(slots=True)
class KnownAddress:
    """One address."""

    status: int
    probed: int
    """When a probe was sent whose result is not known; 0 when there is none."""
    updated: int
    """When the last result came; 0 when there was none."""
    text: str

    def encode(self) -> str:
        """Return the value as it stands in the table."""
        return f"{self.status}:{self.probed}:{self.updated}:{self.text}"

    @classmethod
    def decode(cls, value: str) -> KnownAddress | None:
        """Read a value; None for one that is damaged."""
        words = value.split(":", 3)
        try:
            return cls(int(words[0]), int(words[1]), int(words[2]), words[3])
        except (ValueError, IndexError):
            return None


class AddressCache:
    """All addresses; *reference* is the table to keep them in, empty for memory only."""

    def __init__(self, reference: str, snapshot: Snapshot) -> None:
        self._reference = with_type(reference, snapshot) if reference else ""
        self._snapshot = snapshot
        self._known: dict[str, KnownAddress] = {}
        self._changed = False
        if self._reference:
            self._load()

    def _load(self) -> None:
        kind = self._reference.partition(":")[0]
        if not can_build(kind):
            log.warning(f"{self._reference}: this table type cannot be written; addresses are remembered in memory")
            self._reference = ""
            return
        try:
            table = open_table(self._reference, self._snapshot, share=False)
        except TableError:
            return
        if isinstance(table, IndexedTable):
            try:
                for key, value in table.items():
                    known = KnownAddress.decode(value)
                    if known is not None and key != CLEANUP_KEY:
                        self._known[key] = known
            except TableError as error:
                log.warning(str(error))
        table.close()

    def find(self, address: str) -> KnownAddress | None:
        """Return what is known of an address."""
        return self._known.get(address)

    def save(self, address: str, known: KnownAddress) -> None:
        """Remember something of an address."""
        self._known[address] = known
        self._changed = True

    def drop_expired(self, now: int, positive: int, negative: int) -> tuple[int, int]:
        """Forget what is older than *positive* or *negative* seconds; return how many were kept and dropped."""
        expired = [address for address, known in self._known.items() if is_expired(known, now, positive, negative)]
        for address in expired:
            del self._known[address]
        self._changed = self._changed or bool(expired)
        return len(self._known), len(expired)

    def write(self, now: int) -> None:
        """Write the table if something changed.  What cannot be written is only remembered in memory."""
        if not self._changed or not self._reference:
            return
        self._changed = False
        kind, _, name = self._reference.partition(":")
        entries = [(address, known.encode()) for address, known in self._known.items()]
        try:
            build_table(kind, name, [*entries, (CLEANUP_KEY, str(now))], Opening(self._snapshot))
        except (TableError, OSError) as error:
            log.warning(f"{self._reference}: {error}")


def is_expired(known: KnownAddress, now: int, positive: int, negative: int) -> bool:
    """Tell whether what is known is too old to be used."""
    if known.status == RECIPIENT_OK:
        return known.updated + positive < now
    if known.status == RECIPIENT_UNKNOWN:
        return known.probed + negative < now
    return known.updated + negative < now
