"""Group commit: the files that are complete in one turn of the loop are synced together, then each is answered for."""

from __future__ import annotations

from pyfix.runtime.filesync import sync_files
from pyfix.runtime.loop import current
from pyfix.runtime.task import Waiter


class GroupCommit:
    """Syncs descriptors in batches, one batch a turn."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Waiter[OSError | None]]] = []

    async def sync(self, fd: int) -> None:
        """Return when all data and metadata of *fd* are on the disk.  Raises OSError."""
        waiter: Waiter[OSError | None] = Waiter()
        if not self._waiting:
            current().first_at_turn_end(self._commit)
        self._waiting.append((fd, waiter))
        error = await waiter
        if error is not None:
            raise error

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        results = sync_files([fd for fd, _waiter in batch])
        if len(batch) == 1:
            batch[0][1].wake(results[0])  # and be answered before the log lines leave
            return
        for (_fd, waiter), result in zip(batch, results, strict=True):
            waiter.wake_soon(result)
