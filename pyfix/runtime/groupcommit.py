"""Group commit: the files that are complete in one turn of the loop are synced together.

Starting the write-out of all files before waiting for any lets the disk work on them side by
side; each is then synced by itself, because only that makes it durable.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

from pyfix.runtime.loop import current
from pyfix.runtime.task import Waiter

_SYNC_FILE_RANGE_WRITE: Final = 2
_libc = ctypes.CDLL(None, use_errno=True)
_sync_file_range = getattr(_libc, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


class GroupCommit:
    """Syncs descriptors in batches, one batch a turn."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Waiter[OSError | None]]] = []

    async def sync(self, fd: int) -> None:
        """Return when all data and metadata of *fd* are on the disk.  Raises OSError."""
        waiter: Waiter[OSError | None] = Waiter()
        if not self._waiting:
            current().at_turn_end(self._commit)
        self._waiting.append((fd, waiter))
        error = await waiter
        if error is not None:
            raise error

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        if len(batch) > 1 and _sync_file_range is not None:
            for fd, _waiter in batch:
                _sync_file_range(fd, 0, 0, _SYNC_FILE_RANGE_WRITE)
        results: list[OSError | None] = []
        for fd, _waiter in batch:
            try:
                os.fsync(fd)
            except OSError as error:
                results.append(error)
            else:
                results.append(None)
        for (_fd, waiter), result in zip(batch, results, strict=True):
            waiter.wake_soon(result)
