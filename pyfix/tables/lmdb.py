"""lmdb: files of the LMDB library, which keeps them consistent in a crash.

Postfix uses LMDB without its lock file and locks the file itself; so do we.
Source: lmdb_table(5), postconf(5) lmdb_map_size.
"""

from __future__ import annotations

import os
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, lockf

import lmdb

from pyfix.formats.db.lmdb_pages import check_lmdb
from pyfix.formats.db.page import DbError
from pyfix.tables import flags as bits
from pyfix.tables.indexed import IndexedTable, stamp
from pyfix.tables.table import Opening, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any, Final

_MOST: Final = 1 << 46
_DAMAGED: Final = "MDB_CORRUPTED: Located page was wrong type"


def _reason(error: Exception) -> str:
    # The library says "path: what went wrong".
    return str(error).rpartition(": ")[2] if "MDB_" not in str(error) else str(error)[str(error).index("MDB_") :]


def _environment(path: str, size: int, **options: Any) -> lmdb.Environment:
    size = max(size, os.path.getsize(path) * 2 if os.path.exists(path) else 0)
    return lmdb.open(path, map_size=size, subdir=False, lock=False, max_dbs=0, readahead=False, mode=0o644, **options)


class _Reader:
    """A file that is open for reading: one for all tables of the process, for the library allows no second one."""

    def __init__(self, path: str, size: int) -> None:
        self.path: Final = path
        self.size: Final = size
        self.users = 0
        self._environment: lmdb.Environment | None = None

    def environment(self) -> lmdb.Environment:
        """Return the open file.  Raises lmdb.Error."""
        if self._environment is None:
            environment = _environment(self.path, self.size, readonly=True)
            if (environment.info()["last_pgno"] + 1) * environment.stat()["psize"] > os.path.getsize(self.path):
                # The library would look for the missing pages behind the end of the file, and the process would die.
                environment.close()
                raise lmdb.CorruptedError(_DAMAGED)
            self._environment = environment
        return self._environment

    def close(self) -> None:
        """Close the file; the next question opens what then has its name."""
        if self._environment is not None:
            self._environment.close()
            self._environment = None


_readers: Final[dict[str, _Reader]] = {}


class LmdbTable(IndexedTable):
    """``lmdb:/path``, in the file ``/path.lmdb``."""

    kind = "lmdb"
    suffix = ".lmdb"

    __slots__ = ("_place", "_reader")

    def __init__(self, name: str, opening: Opening) -> None:
        self._reader: _Reader | None = None
        self._place: Final = os.path.realpath(name + self.suffix)
        super().__init__(name, opening)

    def _load(self) -> None:
        reader = self._reader
        if reader is None:
            reader = _readers.get(self._place)
            if reader is None:
                reader = _Reader(self._place, int(self.opening.setting("lmdb_map_size", "16777216")))
        try:
            reader.close()  # what it has open may no longer be what has the name
            reader.environment()
        except (lmdb.Error, OSError) as error:
            raise self._cannot_open(_reason(error)) from error
        if self._reader is None:
            self._reader = _readers[self._place] = reader
            reader.users += 1

    def _open_again(self) -> None:
        """See what is in the file now; only one that was replaced, or is shorter, has to be opened again."""
        state = os.fstat(self._fd)
        if state.st_nlink and state.st_size >= self._stamp[2]:
            self._answers.clear()
        elif state.st_nlink or os.path.exists(self._place):
            super()._open_again()
            return
        self._stamp = stamp(state)

    def changed(self) -> bool:
        """Say that nobody has to begin anew: what is written to the file is seen at once, as in Postfix."""
        return False

    def _get(self, key: bytes) -> bytes | None:
        if self._reader is None:
            raise TableError(f"table {self.name}: query error: the file is not open")
        locking = self.flags & bits.LOCK
        try:
            environment = self._reader.environment()
            # An empty key, and one longer than the library stores, is an error there, and not in the table.
            if not key or len(key) > environment.max_key_size():
                return None
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
            environment.set_mapsize(0)  # as it is now
            return self._get(key)
        except (lmdb.Error, OSError) as error:
            raise TableError(f"table {self.name}: query error: {_reason(error)}") from error

    def _pairs(self) -> Iterator[tuple[bytes, bytes]]:
        if self._reader is None:
            raise TableError(f"table {self.name}: sequence error: the file is not open")
        try:
            environment = self._reader.environment()
            lockf(self._fd, LOCK_SH)
            try:
                _check(self._fd)
                with environment.begin() as transaction:
                    # All at once: the file may be closed for a change before the last one is asked for.
                    pairs = list(transaction.cursor())
            finally:
                lockf(self._fd, LOCK_UN)
        except (lmdb.Error, OSError) as error:
            raise TableError(f"table {self.name}: sequence error: {_reason(error)}") from error
        yield from pairs

    def close(self) -> None:
        """Close the file, when no other table of this process has it open."""
        if self._reader is not None:
            self._reader.users -= 1
            if not self._reader.users:
                self._reader.close()
                _readers.pop(self._place, None)
            self._reader = None
        super().close()


def _check(fd: int) -> None:
    """Raise lmdb.Error where the library would die of a damaged page when it goes through the whole file."""
    try:
        check_lmdb(lambda offset, size: os.pread(fd, size, offset))
    except DbError:
        raise lmdb.CorruptedError(_DAMAGED) from None


def _close_readers(path: str) -> None:
    """Close a file that tables of this process read, so that it can be opened otherwise."""
    reader = _readers.get(os.path.realpath(path))
    if reader is not None:
        reader.close()


def read_lmdb(path: str) -> list[tuple[bytes, bytes]]:
    """Return all that a file has.  Raises TableError."""
    _close_readers(path)
    try:
        environment = _environment(path, 0, readonly=True)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                lockf(fd, LOCK_SH)
                _check(fd)
            finally:
                os.close(fd)
            with environment.begin() as transaction:
                return list(transaction.cursor())
        finally:
            environment.close()
    except (lmdb.Error, OSError) as error:
        raise TableError(f"open database {path}: {_reason(error)}") from error


class RepeatedKey(Exception):
    """A key comes twice; the file is as it was."""


def write_lmdb(
    path: str,
    keys: Collection[bytes],
    values: Collection[bytes],
    size: int,
    *,
    replace: bool,
    remove: Collection[bytes] = (),
) -> None:
    """Do as write_pieces() with *keys* and their *values*."""
    room = sum(map(len, keys)) + sum(map(len, values)) + 16 * len(keys)
    write_pieces(path, [(keys, values)] if keys else [], size, room=room, replace=replace, remove=remove)


def write_pieces(
    path: str,
    pieces: Iterable[tuple[Collection[bytes], Collection[bytes]]],
    size: int,
    *,
    room: int,
    replace: bool,
    remove: Collection[bytes] = (),
    distinct: bool = False,
) -> None:
    """Put keys with their values into the file *path*, made if there is none, and take the keys *remove* out of it.

    *pieces* may be gone through more than once.  With *replace* nothing else stays in the file.  Readers see all of it
    or nothing.  *size* is lmdb_map_size; it grows when it must.  *room*: bytes that the entries take, about.
    Raises TableError, and with *distinct* RepeatedKey.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise TableError(f"open database {path}: {error.strerror}") from error
    try:
        lockf(fd, LOCK_EX)
        _close_readers(path)
        # What there is stays readable until the new entries are complete: there must be room for both.
        needed = os.fstat(fd).st_size + 2 * room
        while size < min(needed, _MOST):
            size *= 2
        environment = _environment(path, size)
        try:
            while True:
                try:
                    with environment.begin(write=True) as transaction:
                        if replace:
                            transaction.drop(environment.open_db(txn=transaction), delete=False)
                        for key in remove:
                            transaction.delete(key)
                        cursor = transaction.cursor()
                        for keys, values in pieces:
                            read, put = cursor.putmulti(zip(keys, values, strict=True), overwrite=not distinct)
                            if distinct and put < read:
                                raise RepeatedKey
                    return
                except lmdb.MapFullError:
                    size = environment.info()["map_size"] * 2
                    if size > _MOST:
                        raise
                    environment.set_mapsize(size)
        finally:
            environment.close()
    except lmdb.BadValsizeError as error:
        raise TableError(f"error updating lmdb:{path.removesuffix('.lmdb')}: {_reason(error)}") from error
    except (lmdb.Error, OSError) as error:
        raise TableError(f"error writing {path}: {_reason(error)}") from error
    finally:
        os.close(fd)
