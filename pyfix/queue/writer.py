"""A new queue file: filled, completed, given its name, or dropped.

The file has no name until it is complete (open(2) O_TMPFILE), so that nothing of it stays when its writer is killed or
the machine stops; its inode number, which is part of the queue id, is known from the beginning.  Where the file system
or a chroot environment without /proc does not allow that, the file is made as Postfix does it: with a temporary name
(microseconds and process id), renamed at once, and mode 0600 until it is complete.  (An open folder of /proc must not
be taken along into a chroot environment: whoever gets hold of the process would walk out through it.)

A file that fits in memory is written once, with its final size record; only a bigger one is written in pieces, and its
size record in place at the end.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection
from typing import Final, Self

from pyfix.formats.queuefile import EMPTY_SIZES, SIZE_RECORD_BYTES, Sizes
from pyfix.formats.queueid import long_id, short_id
from pyfix.queue.nameless import nameless_files
from pyfix.queue.spool import INCOMING, READY_MODE, WRITING_MODE, Spool
from pyfix.queue.stalelogs import StaleLogs, remove_logs

_BUFFER: Final = 262144
"""Bytes that are kept in memory before anything is written."""
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_NO_LIMIT: Final = sys.maxsize


class SizeLimitExceeded(Exception):
    """The file would become larger than message_size_limit allows."""


class QueueFileWriter:
    """A queue file that is being written."""

    __slots__ = (
        "_limit", "_links", "_logs", "_looks", "_parts", "_spool", "_written", "fd", "queue", "queue_id", "size",
    )  # fmt: skip

    def __init__(
        self,
        spool: Spool,
        queue: str,
        queue_id: str,
        fd: int,
        limit: int,
        links: int = -1,
        logs: StaleLogs | None = None,
    ) -> None:
        self._spool = spool
        self._logs = logs
        self._looks = 0 if logs is None else logs.looks
        """How often the folders of logs had been looked at when the file had been made."""
        self._links = links
        """The folder of links to this process's descriptors, while the file has no name; else -1."""
        self.queue = queue
        """Name of the queue that the file is in, or will be."""
        self.queue_id = queue_id
        self.fd = fd
        self._limit = limit or _NO_LIMIT
        self._parts: list[bytes] = []
        self._written = 0
        self.size = 0
        """Length of the file so far, in bytes, what is still in memory included."""

    @classmethod
    def create(
        cls,
        spool: Spool,
        *,
        queue: str = INCOMING,
        long_ids: bool = False,
        limit: int = 0,
        logs: StaleLogs | None = None,
    ) -> Self:
        """Make an empty file with a new queue id in *queue*.

        *long_ids* is postconf(5) enable_long_queue_ids, *limit* message_size_limit in bytes (0: none).
        *logs* is what is known of logs that other messages left behind.  Raises OSError.
        """
        nameless = nameless_files(spool.folder(queue))
        if nameless.links < 0:
            return cls._create_named(spool, queue, long_ids, limit, logs)
        fd, inode = nameless.open()
        return cls(spool, queue, _new_id(time.time_ns(), inode, long_ids), fd, limit, nameless.links, logs)

    @classmethod
    def _create_named(cls, spool: Spool, queue: str, long_ids: bool, limit: int, logs: StaleLogs | None) -> Self:
        folder = spool.folder(queue)
        pid = os.getpid()
        while True:
            now = time.time_ns()
            temporary = f"{folder}/{now // 1000 % 1_000_000}.{pid}"
            try:
                fd = os.open(temporary, _CREATE, WRITING_MODE)
                break
            except FileExistsError:
                continue
        try:
            queue_id = _new_id(now, os.fstat(fd).st_ino, long_ids)
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
        return cls(spool, queue, queue_id, fd, limit, -1, logs)

    @property
    def path(self) -> str:
        """Where the file is now, or will be when it has a name."""
        return self._spool.path(self.queue, self.queue_id)

    def remove_stale_logs(self) -> Collection[str]:
        """Remove what bounce(8) may have left behind from another message of the same id; return the logs' names."""
        if self._logs is None:
            return remove_logs(self._spool, self.queue_id)
        return self._logs.remove(self.queue_id, self._looks)

    # Content

    def begin(self) -> None:
        """Write the size record with zeros.  To be called once, before anything else is appended."""
        self.append(EMPTY_SIZES)

    def append(self, data: bytes) -> None:
        """Add whole records.  Raises SizeLimitExceeded, or OSError when the disk is full."""
        size = self.size + len(data)
        if size > self._limit:
            raise SizeLimitExceeded(self.queue_id)
        self.size = size
        self._parts.append(data)
        if size - self._written >= _BUFFER:
            self._flush()

    def append_regardless(self, data: bytes) -> None:
        """Add the last records of a file that has grown too large and is to be returned.  Raises OSError."""
        self._limit = _NO_LIMIT
        self.append(data)

    def _flush(self) -> None:
        data = b"".join(self._parts)
        self._parts.clear()
        self._written = self.size
        _write_all(self.fd, data)

    # Changes of what is written already

    def write_out(self) -> None:
        """Write all that is still in memory, so that it can be read.  Raises OSError."""
        if self._parts:
            self._flush()

    def overwrite(self, offset: int, data: bytes) -> None:
        """Replace bytes of what was appended.  Raises OSError."""
        self.write_out()
        _write_all(self.fd, data, offset)

    # The end

    def move(self, queue: str) -> None:
        """Move the file to another queue, for instance hold.  Raises OSError."""
        if self._links < 0:
            self._spool.rename(self.queue_id, self.queue, queue)
        self.queue = queue

    def complete(self, sizes: Sizes | None = None) -> None:
        """Write what is left and the size record (None: there is none), and show the file as one that is complete.

        The file must be synced before anybody is told that the message is safe.  Raises OSError.
        """
        self._write_rest(sizes)
        if self._links < 0:
            os.fchmod(self.fd, READY_MODE)
        else:
            self._give_name()

    def write_sizes(self, sizes: Sizes) -> None:
        """Write all that is left, and the size record; show the file as one that is not complete.  Raises OSError."""
        self._write_rest(sizes)
        if self._links >= 0:
            os.fchmod(self.fd, WRITING_MODE)
            self._give_name()

    def _write_rest(self, sizes: Sizes | None) -> None:
        if sizes is not None and not self._written:
            # The record with zeros has not been written yet.
            self._parts[:1] = [sizes.encode(), self._parts[0][SIZE_RECORD_BYTES:]]
            self._flush()
            return
        if self._parts:
            self._flush()
        if sizes is not None:
            _write_all(self.fd, sizes.encode(), 0)

    def _give_name(self) -> None:
        path = self.path
        try:
            os.link(str(self.fd), path, src_dir_fd=self._links)
        except FileNotFoundError:
            self._spool.make_folders(path)
            os.link(str(self.fd), path, src_dir_fd=self._links)
        self._links = -1

    def close(self) -> None:
        """Close the file, which stays where it is."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def remove(self) -> None:
        """Close the file and delete it.  A file that is not there any more is no error; raises OSError for others."""
        self._parts.clear()
        self.close()
        if self._links >= 0:
            return
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass


def are_nameless(spool: Spool, queue: str = INCOMING) -> bool:
    """Tell whether nobody sees new files of *queue* before they are complete."""
    return nameless_files(spool.folder(queue)).links >= 0


def keep_spare(spool: Spool, queue: str = INCOMING) -> None:
    """Make the file of the next message ready, in a process that has nothing else to do."""
    nameless_files(spool.folder(queue)).keep_spare()


def _new_id(now: int, inode: int, long_ids: bool) -> str:
    microseconds = now // 1000 % 1_000_000
    return long_id(now // 1_000_000_000, microseconds, inode) if long_ids else short_id(microseconds, inode)


def _write_all(fd: int, data: bytes, offset: int = -1) -> None:
    """Write all of *data*, at *offset* or (-1) where the file ends."""
    written = os.write(fd, data) if offset < 0 else 0
    while written < len(data):
        piece = memoryview(data)[written:] if written else data
        written += os.write(fd, piece) if offset < 0 else os.pwrite(fd, piece, offset + written)
