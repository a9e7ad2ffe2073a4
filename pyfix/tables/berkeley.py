"""hash and btree: Berkeley DB files as postmap(1) makes them, read without libdb."""

from __future__ import annotations

import errno
import os
from fcntl import LOCK_SH, LOCK_UN, flock

from pyfix.formats.db.btree import BtreeFile
from pyfix.formats.db.hash import HashFile
from pyfix.formats.db.page import DbError
from pyfix.tables import flags as bits
from pyfix.tables.indexed import Changed, IndexedTable, stamp
from pyfix.tables.table import TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator


class _BerkeleyTable(IndexedTable):
    """What both kinds of file share; pages are read when they are needed, under a shared lock."""

    suffix = ".db"
    _file_class: type[HashFile | BtreeFile]

    __slots__ = ("_file",)

    def _load(self) -> None:
        try:
            # The state of the file is that under the first lock: what went on before it does not matter.
            flock(self._fd, LOCK_SH)
            try:
                self._stamp = stamp(os.fstat(self._fd))
                self._file: HashFile | BtreeFile = self._file_class(self._read)
                if self._stamp[2] % self._file.page_size:
                    raise DbError("part of a page is missing")
            finally:
                flock(self._fd, LOCK_UN)
        except DbError:
            raise self._cannot_open(os.strerror(errno.EINVAL)) from None
        except Changed:
            raise self._cannot_open("the file changes all the time") from None
        except OSError as error:
            raise self._cannot_open(error.strerror) from error

    def _read(self, offset: int, size: int) -> bytes:
        fd = self._fd
        if not self.flags & bits.LOCK:
            return os.pread(fd, size, offset)
        flock(fd, LOCK_SH)
        try:
            data = os.pread(fd, size, offset)
            if stamp(os.fstat(fd)) != self._stamp:
                raise Changed
        finally:
            flock(fd, LOCK_UN)
        return data

    def _get(self, key: bytes) -> bytes | None:
        try:
            return self._file.get(key)
        except (DbError, OSError) as error:
            raise TableError(f"table {self.name}: query error: {error}") from error

    def _pairs(self) -> Iterator[tuple[bytes, bytes]]:
        try:
            yield from self._file.items()
        except (DbError, OSError) as error:
            raise TableError(f"table {self.name}: sequence error: {error}") from error


class HashTable(_BerkeleyTable):
    """``hash:/path``, in the file ``/path.db``."""

    kind = "hash"
    _file_class = HashFile


class BtreeTable(_BerkeleyTable):
    """``btree:/path``, in the file ``/path.db``."""

    kind = "btree"
    _file_class = BtreeFile
