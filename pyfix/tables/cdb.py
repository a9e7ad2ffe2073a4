"""cdb: constant databases, small and quick to read, replaced as a whole.  Source: cdb_table(5)."""

from __future__ import annotations

import errno
import os

from pyfix.formats.db.cdb import CdbFile
from pyfix.formats.db.page import DbError
from pyfix.tables import flags as bits
from pyfix.tables.indexed import IndexedTable
from pyfix.tables.table import Opening, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator


class CdbTable(IndexedTable):
    """``cdb:/path``, in the file ``/path.cdb``, which is never changed in place."""

    kind = "cdb"
    suffix = ".cdb"

    __slots__ = ("_file",)

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        if not opening.flags & (bits.TRY0NULL | bits.TRY1NULL):
            self._nuls = [b"", b"\0"]

    def _load(self) -> None:
        try:
            self._file = CdbFile(self._read)
        except DbError:
            raise self._cannot_open(os.strerror(errno.EINVAL)) from None
        except OSError as error:
            raise self._cannot_open(error.strerror) from error

    def _read(self, offset: int, size: int) -> bytes:
        return os.pread(self._fd, size, offset)

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
