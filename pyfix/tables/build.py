"""Writing indexed table files, as postmap(1) and postalias(1) do.

A file is written beside the old one and renamed over it, so that no reader ever sees
half a table.  Where that is not possible (an existing file in a folder that the caller
may not write to) the old file is written over while it is locked, as Postfix does.
"""

from __future__ import annotations

import os
from fcntl import LOCK_EX, flock

from pyfix.tables import flags as bits
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, TableError, fold

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

    Pieces = Iterable[tuple[Sequence[bytes], Sequence[bytes]]]
    """Keys and values, some at a time."""

_SUFFIXES: Final = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"}
"""The types that have files to write."""


def can_build(kind: str) -> bool:
    """Say whether tables of this type are made from text files."""
    return kind in _SUFFIXES


def _lock(path: str, flags: int, mode: int) -> int:
    """Open and lock *path*, and make sure that it still is what has that name.  Raises OSError."""
    while True:
        fd = os.open(path, flags | os.O_RDWR | os.O_CLOEXEC, mode)
        try:
            flock(fd, LOCK_EX)
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


class TableBuild:
    """An indexed file that is being made or changed; others who want to change it wait until it is finished."""

    def __init__(self, kind: str, name: str, opening: Opening, *, keep: bool, create: bool = True) -> None:
        """Take the lock; with *keep* start from what the file has.  Raises TableError.

        *create* false: there must be a file already.
        """
        suffix = _SUFFIXES.get(kind)
        if suffix is None:
            raise TableError(f"unsupported map type: {kind}")
        if kind == "cdb" and keep:
            raise TableError("unsupported non-bulk change request")
        if kind == "lmdb":
            from pyfix.tables.source import table_class

            table_class(kind)  # where its library is missing, nothing may be touched
        self.kind: Final = kind
        self.name: Final = name
        self.path: Final = name + suffix
        self._opening: Final = opening
        self._keep: Final = keep
        flags = opening.flags
        self.folds: Final = bool(flags & bits.FOLD_FIX)
        # Without a wish for or against it a NUL byte ends keys and values, but not in cdb files.
        decided = flags & (bits.TRY0NULL | bits.TRY1NULL)
        self.nul: Final = b"" if decided == bits.TRY0NULL or (kind == "cdb" and decided != bits.TRY1NULL) else b"\0"
        self._endings: tuple[bytes, ...] = (b"\0", b"")
        if decided in (bits.TRY0NULL, bits.TRY1NULL):
            self._endings = (b"\0",) if decided == bits.TRY1NULL else (b"",)
        self._old = self._new = -1
        self.made: Final = not os.path.exists(self.path)
        """Whether there was no file before."""
        self._entries: dict[bytes, bytes] = {}
        self._put: set[bytes] = set()
        """Keys of an lmdb file that were put: what others change meanwhile stays as they want it."""
        self._pieces: Pieces | None = None
        """Entries of an lmdb or cdb file: what writes these needs no dictionary, and sees whether a key comes twice."""
        self._room = 0
        self._deleted: set[bytes] = set()
        try:
            self._take(create)
            if keep:
                self._entries.update(self._present())
        except OSError as error:
            self.abandon()
            refused = not self.made and create and kind in ("hash", "btree")
            place = self.path + (".tmp" if kind == "cdb" else "")
            raise TableError(f"open {'' if refused else 'database '}{place}: {error.strerror}") from error
        except BaseException:
            self.abandon()
            raise

    def _take(self, create: bool) -> None:
        """Lock the file, if there is one, and the file that is to take its place."""
        if self.kind == "lmdb":
            # The library changes the file in place, in one transaction; who may not do that learns it now.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
            return
        while True:
            if self.kind != "cdb":
                try:
                    self._old = _lock(self.path, 0, 0)
                except FileNotFoundError:
                    if not create:
                        raise
            try:
                self._new = _lock(self.path + ".tmp", os.O_CREAT, 0o644)
            except PermissionError:
                if self._old < 0:
                    raise
            if self._old >= 0 or self.kind == "cdb" or not os.path.exists(self.path):
                return
            # Somebody else made the file while we waited for the second lock.
            os.close(self._new)
            self._new = -1

    def _present(self) -> list[tuple[bytes, bytes]]:
        """Return what the file has now.  Raises TableError."""
        if self.kind == "lmdb":
            from pyfix.tables.lmdb import read_lmdb

            return read_lmdb(self.path) if os.path.getsize(self.path) else []
        if self._old < 0 or not os.fstat(self._old).st_size:
            return []
        from pyfix.formats.db.page import DbError

        fd = self._old

        def read(offset: int, size: int) -> bytes:
            return os.pread(fd, size, offset)

        try:
            if self.kind == "hash":
                from pyfix.formats.db.hash import HashFile

                return list(HashFile(read).items())
            from pyfix.formats.db.btree import BtreeFile

            return list(BtreeFile(read).items())
        except DbError as error:
            raise TableError(f"open database {self.path}: Invalid argument") from error

    def put(self, key: str, value: str) -> None:
        """Add an entry; what happens when the key is there already is told by the opening's flags."""
        if self.folds:
            key = key.lower() if key.isascii() else fold(key, self._opening.utf8)
        stored = key.encode(errors="surrogateescape") + self.nul
        if stored in self._entries:
            flags = self._opening.flags
            if flags & bits.DUP_IGNORE:
                return
            if not flags & bits.DUP_REPLACE:
                text = f'{self._shown()}: duplicate entry: "{key}"'
                if not flags & bits.DUP_WARN:
                    raise TableError(text)
                warn(text)
                return
        self._entries[stored] = value.encode(errors="surrogateescape") + self.nul
        if self._keep:
            self._put.add(stored)

    def put_all(self, keys: Sequence[bytes], values: Sequence[bytes], size: int = 0) -> bool:
        """Add entries, as they are stored, to a table that has none yet; False when a key comes twice.

        In that case nothing was added, and put() has to tell what is to be done.  Of an lmdb file it may be finish()
        that finds out.  *size*: bytes of all keys and values, or more; 0: not known.
        """
        if self._entries:
            return False
        if self.kind == "lmdb":
            self.put_pieces([(keys, values)], (size or sum(map(len, keys)) + sum(map(len, values))) + 16 * len(keys))
            return True
        entries = dict(zip(keys, values, strict=True))
        if len(entries) != len(keys):
            return False
        self._entries = entries
        return True

    def put_pieces(self, pieces: Pieces, room: int) -> None:
        """Do as put_all() for an lmdb or cdb file; *room*: bytes that the entries take there, about.

        Those of a cdb file may raise NotPlain.
        """
        self._pieces, self._room = pieces, room

    def put_mark(self, key: str, value: str) -> None:
        """Add an entry as it stands, in the place of what was there; NIS wants its own without NUL bytes."""
        nul = b"" if key.startswith("YP_") else self.nul
        self._entries[key.encode() + nul] = value.encode(errors="surrogateescape") + nul
        self._put.add(key.encode() + nul)

    def _shown(self) -> str:
        if self.kind in ("hash", "btree"):
            return self.path
        return f"lmdb:{self.name}" if self.kind == "lmdb" else self.name

    def remove(self, key: str) -> bool:
        """Remove an entry, with or without a NUL byte as the opening's flags tell; say whether it was there."""
        if self.folds:
            key = fold(key, self._opening.utf8)
        stored = key.encode(errors="surrogateescape")
        for nul in self._endings:
            form = stored + nul
            if self._entries.pop(form, None) is not None:
                self._deleted.add(form)
                self._put.discard(form)
                self._endings = (nul,)  # the first one found decides for all
                return True
        return False

    def finish(self) -> bool:
        """Write the file and let it take its place.  Raises TableError.

        False when a key of put_all() or put_pieces() came twice, and for NotPlain: the table is as it was, and all is
        to be put again, by put().
        """
        done = True
        try:
            if self.kind == "lmdb":
                done = self._finish_lmdb()
            elif self.kind == "cdb":
                done = self._finish_cdb()
            else:
                self._finish_file()
        except OSError as error:
            raise TableError(f"error writing {self.path}: {error.strerror}") from error
        finally:
            if done:
                self.abandon()
        return done

    def _finish_lmdb(self) -> bool:
        from pyfix.tables.lmdb import RepeatedKey, write_lmdb, write_pieces

        size = int(self._opening.setting("lmdb_map_size", "16777216"))
        if self._pieces is None:
            entries = self._entries
            if self._keep:
                entries = {key: entries[key] for key in entries if key in self._put}
            write_lmdb(self.path, entries.keys(), entries.values(), size, replace=not self._keep, remove=self._deleted)
            return True
        try:
            write_pieces(self.path, self._pieces, size, room=self._room, replace=True, distinct=True)
        except RepeatedKey:
            self._pieces = None
            return False
        return True

    def _image(self) -> bytes:
        if self.kind == "hash":
            from pyfix.formats.db.hash import write_hash

            return write_hash(self._entries)
        from pyfix.formats.db.btree import write_btree

        return write_btree(self._entries)

    def _finish_cdb(self) -> bool:
        """Write the records one after the other to the new file: there is never more than a part of it in memory."""
        from pyfix.formats.db.cdb import CdbWriter, RepeatedKey
        from pyfix.formats.db.page import DbError
        from pyfix.tables.textfile import NotPlain

        pieces, self._pieces = self._pieces, None
        os.ftruncate(self._new, 0)
        try:
            with open(self._new, "r+b", closefd=False) as stream:
                writer = CdbWriter(stream, distinct=pieces is not None)
                for keys, values in pieces or ():
                    writer.add(keys, values)
                writer.add(list(self._entries), list(self._entries.values()))
                writer.finish()
        except (RepeatedKey, NotPlain):
            return False
        except DbError as error:
            raise TableError(f"error writing {self.path}: {error}") from error
        os.fsync(self._new)
        self._publish()
        return True

    def _finish_file(self) -> None:
        image = self._image()
        if self._new < 0 or not self._takes_after_old():
            os.ftruncate(self._old, 0)
            _write_all(self._old, image)
            return
        os.ftruncate(self._new, 0)
        _write_all(self._new, image)
        self._publish()

    def _publish(self) -> None:
        """Let the new file take the place of the old one."""
        os.rename(self.path + ".tmp", self.path)
        os.close(self._new)
        self._new = -1

    def _takes_after_old(self) -> bool:
        """Give the new file owner and mode of the old one; say whether that could be done."""
        if self._old >= 0:
            state, own = os.fstat(self._old), os.fstat(self._new)
            try:
                if (state.st_uid, state.st_gid) != (own.st_uid, own.st_gid):
                    os.fchown(self._new, state.st_uid, state.st_gid)
            except PermissionError:
                return False
            os.fchmod(self._new, state.st_mode & 0o7777)
        return True

    def abandon(self) -> None:
        """Leave the file as it is, and give the locks back.  Does nothing after finish()."""
        if self._new >= 0:
            if self.kind != "lmdb":
                os.unlink(self.path + ".tmp")
            os.close(self._new)
            self._new = -1
        if self._old >= 0:
            os.close(self._old)
            self._old = -1


def _write_all(fd: int, data: bytes) -> None:
    done, view = 0, memoryview(data)
    while done < len(data):
        done += os.pwrite(fd, view[done:], done)
    os.fsync(fd)


def build_table(kind: str, name: str, entries: Iterable[tuple[str, str]], opening: Opening | None = None) -> None:
    """Make the file of a table from keys and values, replacing what it had.  Raises TableError."""
    build = TableBuild(kind, name, opening or Opening(None, bits.ORDINARY | bits.DUP_WARN), keep=False)
    try:
        for key, value in entries:
            build.put(key, value)
    except BaseException:
        build.abandon()
        raise
    build.finish()
