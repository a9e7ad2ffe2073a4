"""A new queue file: made under a name of its own, filled, completed, or taken back.

The file is made with a temporary name (microseconds and process id), so that its inode number can be part of the queue
id, and renamed at once; until it is complete its mode is 0600 and its size record has zeros.  A file that fits in
memory is written once, with its final size record; only a bigger one is written in pieces, and its size record in
place at the end.
"""

from __future__ import annotations

import os
import time
from typing import Final, Self

from pyfix.formats.queuefile import EMPTY_SIZES, SIZE_RECORD_BYTES, Sizes
from pyfix.formats.queueid import long_id, short_id
from pyfix.queue.spool import BOUNCE, DEFER, INCOMING, READY_MODE, TRACE, WRITING_MODE, Spool

_BUFFER: Final = 262144
"""Bytes that are kept in memory before anything is written."""
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_STALE_LOGS: Final = (DEFER, BOUNCE, TRACE)


class SizeLimitExceeded(Exception):
    """The file would become larger than message_size_limit allows."""


class QueueFileWriter:
    """A queue file that is being written."""

    __slots__ = ("_limit", "_parts", "_pending", "_spool", "_written", "fd", "queue", "queue_id", "size")

    def __init__(self, spool: Spool, queue: str, queue_id: str, fd: int, limit: int) -> None:
        self._spool = spool
        self.queue = queue
        """Name of the queue that the file is in."""
        self.queue_id = queue_id
        self.fd = fd
        self._limit = limit
        self._parts: list[bytes] = []
        self._pending = 0
        self._written = 0
        self.size = 0
        """Length of the file so far, in bytes, what is still in memory included."""

    @classmethod
    def create(cls, spool: Spool, *, queue: str = INCOMING, long_ids: bool = False, limit: int = 0) -> Self:
        """Make an empty file with a new queue id in *queue*.

        *long_ids* is postconf(5) enable_long_queue_ids, *limit* message_size_limit in bytes (0: none).
        Raises OSError.
        """
        folder = spool.folder(queue)
        pid = os.getpid()
        while True:
            seconds, rest = divmod(time.time_ns(), 1_000_000_000)
            microseconds = rest // 1000
            temporary = f"{folder}/{microseconds}.{pid}"
            try:
                fd = os.open(temporary, _CREATE, WRITING_MODE)
                break
            except FileExistsError:
                continue
        try:
            inode = os.fstat(fd).st_ino
            queue_id = long_id(seconds, microseconds, inode) if long_ids else short_id(microseconds, inode)
            path = spool.path(queue, queue_id)
            try:
                os.rename(temporary, path)
            except FileNotFoundError:
                spool.make_folders(path)
                os.rename(temporary, path)
        except BaseException:
            os.close(fd)
            os.unlink(temporary)
            raise
        return cls(spool, queue, queue_id, fd, limit)

    @property
    def path(self) -> str:
        """Where the file is now."""
        return self._spool.path(self.queue, self.queue_id)

    def remove_stale_logs(self) -> list[str]:
        """Remove what bounce(8) may have left behind from another message of the same id; return the logs' names."""
        return remove_logs(self._spool, self.queue_id)

    # Content

    def begin(self) -> None:
        """Write the size record with zeros.  To be called once, before anything else is appended."""
        self.append(EMPTY_SIZES)

    def append(self, data: bytes) -> None:
        """Add whole records.  Raises SizeLimitExceeded, or OSError when the disk is full."""
        length = len(data)
        if self._limit and self.size + length > self._limit:
            raise SizeLimitExceeded(self.queue_id)
        self.size += length
        self._parts.append(data)
        self._pending += length
        if self._pending >= _BUFFER:
            self._flush()

    def append_regardless(self, data: bytes) -> None:
        """Add the last records of a file that has grown too large and is to be returned.  Raises OSError."""
        self._limit = 0
        self.append(data)

    def _flush(self) -> None:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._written += self._pending
        self._pending = 0
        _write_all(self.fd, data)

    # The end

    def move(self, queue: str) -> None:
        """Move the file to another queue, for instance hold.  Raises OSError."""
        self._spool.rename(self.queue_id, self.queue, queue)
        self.queue = queue

    def complete(self, sizes: Sizes | None = None) -> None:
        """Write what is left and the size record (None: there is none), and set the mode that says so.

        The data must be synced before anybody is told that the message is safe.  Raises OSError.
        """
        if sizes is not None:
            self.write_sizes(sizes)
        elif self._pending:
            self._flush()
        os.fchmod(self.fd, READY_MODE)

    def write_sizes(self, sizes: Sizes) -> None:
        """Write all that is left, and the size record.  Raises OSError."""
        if self._written:
            if self._pending:
                self._flush()
            _write_all(self.fd, sizes.encode(), 0)
        else:
            data = b"".join(self._parts)
            self._parts = [sizes.encode(), data[SIZE_RECORD_BYTES:]]
            self._flush()

    def close(self) -> None:
        """Close the file, which stays where it is."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def remove(self) -> None:
        """Close the file and delete it.  A file that is not there any more is no error; raises OSError for others."""
        self._parts.clear()
        self.close()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass


def remove_logs(spool: Spool, queue_id: str) -> list[str]:
    """Remove the logs of bounce(8) for *queue_id*; return the names of those that were there."""
    found = []
    for log in _STALE_LOGS:
        try:
            os.unlink(spool.path(log, queue_id))
        except FileNotFoundError:
            continue
        found.append(log)
    return found


def _write_all(fd: int, data: bytes, offset: int = -1) -> None:
    """Write all of *data*, at *offset* or (-1) where the file ends."""
    written = 0
    while written < len(data):
        piece = memoryview(data)[written:] if written else data
        written += os.write(fd, piece) if offset < 0 else os.pwrite(fd, piece, offset + written)
