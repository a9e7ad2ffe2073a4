"""lmdb: files of the LMDB library, which keeps them consistent in a crash.

Postfix uses LMDB without its lock file and locks the file itself; so do we.
Source: lmdb_table(5), postconf(5) lmdb_map_size.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, lockf
from typing import Any, Final

import lmdb

from pyfix.tables import flags as bits
from pyfix.tables.indexed import IndexedTable
from pyfix.tables.table import Opening, TableError

_MOST: Final = 1 << 46


def _reason(error: Exception) -> str:
    # The library says "path: what went wrong".
    return str(error).rpartition(": ")[2] if "MDB_" not in str(error) else str(error)[str(error).index("MDB_") :]


def _environment(path: str, size: int, **options: Any) -> lmdb.Environment:
    size = max(size, os.path.getsize(path) * 2 if os.path.exists(path) else 0)
    return lmdb.open(path, map_size=size, subdir=False, lock=False, max_dbs=0, readahead=False, mode=0o644, **options)


class LmdbTable(IndexedTable):
    """``lmdb:/path``, in the file ``/path.lmdb``."""

    kind = "lmdb"
    suffix = ".lmdb"

    __slots__ = ("_environment",)

    def __init__(self, name: str, opening: Opening) -> None:
        self._environment: lmdb.Environment | None = None
        super().__init__(name, opening)

    def _load(self) -> None:
        # One process must not have the same file open twice: close the old one first.
        if self._environment is not None:
            self._environment.close()
            self._environment = None
        try:
            self._environment = _environment(
                self.path, int(self.opening.setting("lmdb_map_size", "16777216")), readonly=True
            )
        except (lmdb.Error, OSError) as error:
            raise self._cannot_open(_reason(error)) from error

    def _get(self, key: bytes) -> bytes | None:
        environment = self._environment
        if environment is None:
            raise TableError(f"table {self.name}: query error: the file is not open")
        # An empty key, and one longer than the library stores, is an error there, and not in the table.
        if not key or len(key) > environment.max_key_size():
            return None
        locking = self.flags & bits.LOCK
        try:
            if locking:
                lockf(self._fd, LOCK_SH)
            try:
                with environment.begin() as transaction:
                    value: bytes | None = transaction.get(key)
                    return value
            finally:
                if locking:
                    lockf(self._fd, LOCK_UN)
        except lmdb.MapResizedError:
            self._open_again()
            return self._get(key)
        except (lmdb.Error, OSError) as error:
            raise TableError(f"table {self.name}: query error: {_reason(error)}") from error

    def _pairs(self) -> Iterator[tuple[bytes, bytes]]:
        assert self._environment is not None
        try:
            with self._environment.begin() as transaction:
                yield from transaction.cursor()
        except (lmdb.Error, OSError) as error:
            raise TableError(f"table {self.name}: sequence error: {_reason(error)}") from error

    def close(self) -> None:
        """Close the file."""
        if self._environment is not None:
            self._environment.close()
            self._environment = None
        super().close()


def read_lmdb(path: str) -> list[tuple[bytes, bytes]]:
    """Return all that a file has.  Raises TableError."""
    try:
        environment = _environment(path, 0, readonly=True)
        try:
            with environment.begin() as transaction:
                return list(transaction.cursor())
        finally:
            environment.close()
    except (lmdb.Error, OSError) as error:
        raise TableError(f"open database {path}: {_reason(error)}") from error


def write_lmdb(
    path: str, entries: Iterable[tuple[bytes, bytes]], size: int, *, replace: bool, remove: Iterable[bytes] = ()
) -> None:
    """Put *entries* into the file *path*, made if there is none, and take the keys *remove* out of it.

    With *replace* nothing else stays in it.  Readers see all of it or nothing.
    *size* is lmdb_map_size; it grows when it must.  Raises TableError.
    """
    pairs, gone = list(entries), list(remove)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise TableError(f"open database {path}: {error.strerror}") from error
    try:
        lockf(fd, LOCK_EX)
        environment = _environment(path, size)
        try:
            while True:
                try:
                    with environment.begin(write=True) as transaction:
                        if replace:
                            transaction.drop(environment.open_db(txn=transaction), delete=False)
                        for key in gone:
                            transaction.delete(key)
                        for key, value in pairs:
                            transaction.put(key, value)
                    return
                except lmdb.MapFullError:
                    size = environment.info()["map_size"] * 2
                    if size > _MOST:
                        raise
                    environment.set_mapsize(size)
        finally:
            environment.close()
    except (lmdb.Error, OSError) as error:
        raise TableError(f"error writing {path}: {_reason(error)}") from error
    finally:
        os.close(fd)
