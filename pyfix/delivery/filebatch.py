"""Deliveries to files, those of one turn of the loop together.

For all files of one owner the rights are changed once, and the sync of all of them is started before any is waited
for.  A message is reported as delivered only after its own file was synced.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from pyfix.delivery.locks import LockBusy
from pyfix.delivery.outcome import Deferred, Outcome
from pyfix.delivery.output import FileProblem
from pyfix.delivery.rights import rights
from pyfix.runtime.filesync import sync_files
from pyfix.runtime.identity import Owner
from pyfix.runtime.loop import current
from pyfix.runtime.task import Waiter

_COMPANY = 0.004
"""Seconds that a single target waits for another: the time of some syncs on a fast disk, and about that from one
message of a lone client to its next.  The message is safe in the queue meanwhile, and nobody waits for its delivery."""
_GO_ALONE = 10
_NOT_SYNCED: dict[int, OSError | None] = {-1: None}


class FileTarget(ABC):
    """One message on its way into one file.  All methods run with the owner's rights and never wait."""

    owner: Owner
    attempts: int
    """How often a lock that somebody else holds is tried for."""
    waiter: Waiter[Outcome]
    is_retried = False
    """It waits for another attempt to lock."""

    @abstractmethod
    def write(self) -> int:
        """Write the message; return the descriptor to sync, -1 for none.  Raises FileProblem, LockBusy."""

    @abstractmethod
    def sync_failed(self, error: OSError) -> Outcome:
        """Take back what was written, because it cannot be made durable."""

    @abstractmethod
    def publish(self) -> Outcome:
        """The file is on the disk: give it its name, or its locks up."""

    @abstractmethod
    def locked_out(self, busy: LockBusy) -> Outcome:
        """All attempts to lock failed."""


class FileBatch:
    """Gathers the targets of one turn."""

    def __init__(self, lock_delay: float) -> None:
        """*lock_delay* is postconf(5) deliver_lock_delay, in seconds."""
        self._lock_delay = lock_delay
        self._waiting: list[FileTarget] = []
        self._looking = False
        """One target waits for another."""
        self._vain = 0
        """So many more go alone, because the last one waited in vain."""
        self.deadline = 0.0

    async def deliver(self, target: FileTarget) -> Outcome:
        """Write, sync and publish *target*, with others of this turn; return its outcome."""
        target.waiter = Waiter()
        self._enqueue(target)
        return await target.waiter

    def _enqueue(self, target: FileTarget) -> None:
        target.is_retried = False
        if not self._waiting:
            current().at_turn_end(self._commit)
        elif self._looking and len(self._waiting) == 1:
            current().expire_never(self)
            current().at_turn_end(self._commit)
        self._waiting.append(target)

    def expired(self) -> None:
        """Called by the loop when nobody has joined the one who waits."""
        self._vain = _GO_ALONE
        self._commit()

    def _commit(self) -> None:
        if len(self._waiting) == 1 and not self._looking:
            # qmgr(8) sends the next request when it has an answer.  A moment later there may be two to sync: where a
            # destination may have two at a time, as a user's mailbox, they go in pairs from then on.
            self._looking = True
            loop = current()
            if self._vain:
                self._vain -= 1
                loop.at_turn_end(self._commit)
            else:
                loop.expire_at(self, loop.now + _COMPANY)
            return
        self._looking = False
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        try:
            self._deliver(batch)
        except BaseException:
            # Nobody may wait for ever: what is not known to be delivered is tried again.
            for target in batch:
                if not target.waiter.done and not target.is_retried:
                    target.waiter.wake_soon(Deferred("4.3.0", "internal software error"))
            raise

    def _deliver(self, batch: list[FileTarget]) -> None:
        owners: dict[Owner, list[FileTarget]] = {}
        for target in batch:
            owners.setdefault(target.owner, []).append(target)
        done: list[tuple[FileTarget, Outcome]] = []
        if len(owners) == 1:
            for owner, targets in owners.items():
                with rights(owner):
                    written = self._write(targets, done)
                    _finish(written, _sync(written), done)
        else:
            written_by_owner = []
            for owner, targets in owners.items():
                with rights(owner):
                    written_by_owner.append((owner, self._write(targets, done)))
            results = _sync([pair for _, written in written_by_owner for pair in written])
            for owner, written in written_by_owner:
                with rights(owner):
                    _finish(written, results, done)
        for target, outcome in done:
            target.waiter.wake_soon(outcome)

    def _write(self, targets: list[FileTarget], done: list[tuple[FileTarget, Outcome]]) -> list[tuple[FileTarget, int]]:
        written = []
        for target in targets:
            try:
                written.append((target, target.write()))
            except FileProblem as failure:
                done.append((target, failure.outcome))
            except OSError as error:
                done.append((target, Deferred("4.3.0", f"cannot deliver: {error.strerror}")))
            except LockBusy as busy:
                target.attempts -= 1
                target.is_retried = target.attempts > 0
                if target.is_retried:
                    current().later(self._lock_delay, self._enqueue, target)
                else:
                    done.append((target, target.locked_out(busy)))
        return written


def _sync(written: list[tuple[FileTarget, int]]) -> dict[int, OSError | None]:
    """Sync each file once, although several messages may be in one mailbox file; return the errors by descriptor."""
    fds = list(dict.fromkeys(fd for _, fd in written if fd >= 0))
    return dict(zip(fds, sync_files(fds), strict=True)) | _NOT_SYNCED if fds else _NOT_SYNCED


def _finish(
    written: list[tuple[FileTarget, int]], results: dict[int, OSError | None], done: list[tuple[FileTarget, Outcome]]
) -> None:
    for target, fd in written:
        failed = results[fd]
        done.append((target, target.publish() if failed is None else target.sync_failed(failed)))
