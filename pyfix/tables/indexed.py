"""Tables in indexed files: what hash, btree, lmdb and cdb have in common.

The file is opened once and asked with few system calls.  When it was changed or
replaced since, the next lookup opens it again.
"""

from __future__ import annotations

import os

from pyfix.tables import flags as bits
from pyfix.tables.notice import info, warn
from pyfix.tables.table import Opening, Table, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_MOST_ANSWERS: Final = 2000
_UNKNOWN: Final = object()

NO_KEY: Final = "MDB_BAD_VALSIZE: Unsupported size of key/DB name/data, or wrong DUPFIXED size"
"""What the LMDB library says of a key of no bytes, and of one that is too long."""

Stamp = tuple[int, int, int, bool]
"""What tells one state of a file from another: inode, time of change, size, and whether it still has a name."""


def stamp(state: os.stat_result) -> Stamp:
    """Return the stamp of a file."""
    return state.st_ino, state.st_mtime_ns, state.st_size, state.st_nlink > 0


class Changed(Exception):
    """The file changed while it was being read."""


class IndexedTable(Table):
    """A table in an indexed file."""

    suffix: str = ""
    """What the file's name has after the table's."""

    __slots__ = ("_answers", "_fd", "_nuls", "_opened", "_source", "_stamp", "path")

    def __init__(self, name: str, opening: Opening) -> None:
        """Open the file.  Raises TableError."""
        super().__init__(name, opening)
        self.path: Final = name + self.suffix
        self._source: Final = name
        if self.kind != "lmdb":
            self.name = f"{self.kind}:{self.path}"  # so Postfix calls it in what it says about answers
        self._fd = -1
        self._answers: dict[str, str | None] = {}
        # Keys and values may end with a NUL byte or not; the first one found decides for the whole file.
        nuls = opening.flags & (bits.TRY0NULL | bits.TRY1NULL)
        self._nuls = ([b"\0"] if nuls & bits.TRY1NULL else []) + ([b""] if nuls & bits.TRY0NULL else []) or [b"\0", b""]
        self._open()
        self._opened: Final = self._stamp
        self._warn_of_age()

    # What a type of file gives

    def _load(self) -> None:
        """Make ready to read the file that _fd is open on.  Raises TableError."""
        raise NotImplementedError  # for the subclass

    def _get(self, key: bytes) -> bytes | None:
        """Return the value of a key as it stands in the file.  Raises TableError, Changed."""
        raise NotImplementedError  # for the subclass

    def _pairs(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values as they stand in the file.  Raises TableError, Changed."""
        raise NotImplementedError  # for the subclass

    # What is the same for all

    def _open(self) -> None:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._cannot_open(error.strerror) from error
        before, self._fd = self._fd, fd
        try:
            self._stamp = stamp(os.fstat(fd))
            self._answers.clear()
            self._load()
        except BaseException:
            os.close(fd)
            self._fd = before
            raise
        if before >= 0:
            os.close(before)

    def owner(self) -> int | None:
        """Return the owner of the file that is open."""
        return os.fstat(self._fd).st_uid

    def _cannot_open(self, reason: str | None) -> TableError:
        return TableError(f"open database {self.path}: {reason}")

    def _open_again(self) -> None:
        """Open the file that now has the table's name; without one, stay with what was open."""
        before = self._stamp
        try:
            self._open()
        except TableError:
            # In a jail, and without the rights of root that opened it, no name leads to the file any more.
            try:
                self._stamp = stamp(os.fstat(self._fd))
                if self._stamp[3]:
                    self._answers.clear()
                    self._load()
            except TableError:
                self._stamp = before  # so that the next question tries again
                raise

    def _warn_of_age(self) -> None:
        """Warn when the text file is newer than the indexed one, unless it is being worked on."""
        try:
            source, own = os.stat(self._source).st_mtime, os.fstat(self._fd).st_mtime
        except OSError:
            return
        if source > own:
            from time import time

            if source < time() - 100:
                self._is_stale()

    def _is_stale(self) -> None:
        """Make the table anew where main.cf wants that; else warn as Postfix does, and say what to do."""
        try:
            made_by = "postalias" if self._get(b"YP_LAST_MODIFIED") is not None else "postmap"
        except (TableError, Changed):
            made_by = "postmap"
        if self.opening.setting("pyfix_rebuild_stale_tables", "no").lower() == "yes" and self._made_anew(made_by):
            info(f"database {self.path} was older than source file {self._source}: made anew")
            self._open()
            return
        warn(f"database {self.path} is older than source file {self._source}")
        info(f"to make it anew: {made_by} {self.kind}:{self._source}")

    def _made_anew(self, made_by: str) -> bool:
        """Let postmap or postalias make the table, with the rights of this process; say whether that went well."""
        from subprocess import DEVNULL, run

        from pyfix.config.parameters import paths  # noqa: F401  # they declare where commands are

        command = os.path.join(self.opening.setting("command_directory", "/usr/sbin"), made_by)
        directory = getattr(self.opening.snapshot, "config_directory", None)
        words = [command, *(["-c", directory] if directory else []), f"{self.kind}:{self._source}"]
        try:
            return run(words, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, check=False).returncode == 0
        except OSError:
            return False

    def lookup(self, key: str) -> str | None:
        """Return the value.  Raises TableError for a damaged file."""
        state, known = os.fstat(self._fd), self._stamp
        if state.st_mtime_ns != known[1] or state.st_size != known[2] or (state.st_nlink > 0) != known[3]:
            self._open_again()
        answer = self._answers.get(key, _UNKNOWN)
        if answer is not _UNKNOWN:
            return answer  # type: ignore[return-value]  # the values are str or None
        value = self._look(key)
        if len(self._answers) >= _MOST_ANSWERS:
            self._answers.clear()
        self._answers[key] = value
        return value

    def _look(self, key: str) -> str | None:
        stored = key.encode(errors="surrogateescape")
        for _ in range(10):
            try:
                for nul in self._nuls:
                    value = self._get(stored + nul)
                    if value is not None:
                        self._nuls = [nul]
                        return self._text(value)
                return None
            except Changed:
                self._open_again()
        raise TableError(f"table {self.name}: query error: the file changes all the time")

    @staticmethod
    def _text(data: bytes) -> str:
        """Decode a key or value up to its first NUL byte; for Postfix it ends there."""
        return data.partition(b"\0")[0].decode(errors="surrogateescape")

    def refuses_empty_keys(self) -> bool:
        """Say whether to ask for an empty key, without a NUL byte behind it, is an error of the library."""
        return self.kind == "lmdb" and b"" in self._nuls

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield all keys and values, in the order of the file as it is now.  Raises TableError."""
        if stamp(os.fstat(self._fd)) != self._stamp:
            self._open_again()
        try:
            for key, value in self._pairs():
                yield self._text(key), self._text(value)
        except Changed:
            raise TableError(f"table {self.name}: sequence error: the file changed") from None

    def changed(self) -> bool:
        """Say whether the file was changed or replaced since the table was opened first."""
        return self._stamp != self._opened or stamp(os.fstat(self._fd)) != self._opened

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
