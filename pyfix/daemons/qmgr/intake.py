"""From a file in incoming or deferred to a message in the active queue."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from typing import Final, NamedTuple, NoReturn

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.formats.address import internal_to_external
from pyfix.formats.number import whole_number
from pyfix.protocols.internal.delivery import RECORD_DELAY_SENT
from pyfix.queue.envelope import Envelope, UnexpectedRecord
from pyfix.queue.message import HEAD, Message, MessageBusy, MessageDamaged
from pyfix.queue.spool import ACTIVE, CORRUPT, DEFER, DEFERRED, EXPIRE_BIT, READY_MODE, UNTHROTTLE_BIT, Spool
from pyfix.runtime.daemon import report_bug
from pyfix.runtime.log import log
from pyfix.scheduling.message import ActiveMessage

_ALL_FLAGS: Final = 0x7FFFFFFF
_CORRUPT_MODE: Final = 0o400
_USUAL_MODE: Final = stat.S_IFREG | READY_MODE
_CORRUPT_FILE: Final = stat.S_IFREG | _CORRUPT_MODE
_FRESH: Final = 1.0


class Found(NamedTuple):
    """A file in incoming or deferred."""

    queue_id: str
    path: str
    status: os.stat_result


class Fetched(NamedTuple):
    """A file that was moved to the active queue."""

    queue: str
    """Where it came from."""
    queue_id: str
    file: Message
    mode: int


class Taken(NamedTuple):
    """A message that became active."""

    message: ActiveMessage
    envelope: Envelope
    unthrottle: bool
    """Try it although its destinations are known to be dead (postqueue -i)."""


class Intake:
    """Takes files into the active queue, in two steps: what the system does, and what is done in memory.

    Each step is done for several files in turn.  To go back and forth between them for each file takes twice as long,
    because neither finds its code and data in the processor's caches.
    """

    def __init__(self, settings: QmgrSettings, spool: Spool) -> None:
        """*spool* is relative to the queue folder."""
        self._spool = spool
        self._confirm_delay_cleared = settings.confirm_delay_cleared
        self._minimal_backoff_time = settings.minimal_backoff_time
        self.doubtful: set[str] = set()
        """Messages that were active when qmgr(8) started: an agent may still be at work on them."""

    @staticmethod
    def due(files: Iterable[tuple[str, str]], now: float, *, most: int, ignore_times: bool) -> tuple[list[Found], int]:
        """Return those of *files* (queue ids and paths) whose time has come, *most* at most, and how many were seen.

        Nearly all files of a large deferred queue are not due: no more is done for them than one look.  What is no
        message, or damaged, is told of at any time.
        Raises the OSError of *files*.
        """
        lstat = os.lstat
        latest = float("inf") if ignore_times else now + 1
        due: list[Found] = []
        seen = 0
        for queue_id, path in files:
            seen += 1
            try:
                status = lstat(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                report_bug(error)  # The others must not be lost for it.
                continue
            mode = status.st_mode
            if status.st_mtime <= latest or (mode != _USUAL_MODE and (mode == _CORRUPT_FILE or not stat.S_ISREG(mode))):
                due.append(Found(queue_id, path, status))
                if len(due) >= most:
                    break
        return due, seen

    def fetch(self, queue: str, found: Found) -> Fetched | None:
        """Move one file that is due to the active queue and read its beginning.

        None when it stays, or went elsewhere.
        """
        queue_id, path, status = found
        mode = status.st_mode
        # One look at what nearly every file is: complete, regular, and nothing is asked of it.
        if mode != _USUAL_MODE and not self._may_be_taken(queue, queue_id, path, status):
            return None
        active = self._spool.path(ACTIVE, queue_id)
        try:
            os.rename(path, active)
        except FileNotFoundError:
            if not os.path.lexists(path):
                return None
            self._spool.make_folders(active)
            os.rename(path, active)
        except OSError as error:
            give_up(f"qmgr_active_feed: {queue_id}: rename from {queue} to {ACTIVE}: {error.strerror}")
        doubtful = queue_id in self.doubtful
        if doubtful:
            self.doubtful.discard(queue_id)
        try:
            file = Message(active, "exclusive" if doubtful else None)
            if doubtful:
                file.unlock()  # No agent has it any more, and those to come need it while more recipients are read.
        except MessageBusy:
            log.info(f"{queue_id}: skipped, still being delivered")
            self.defer(queue_id, self._minimal_backoff_time)
            return None
        except FileNotFoundError:
            return None
        except OSError as error:
            give_up(f"open {ACTIVE} {queue_id}: {error.strerror}")
        if doubtful and not mode & EXPIRE_BIT:
            # An agent may have deferred it when nobody listened any more.
            self._forget_deferrals(queue_id)
        if mode & UNTHROTTLE_BIT:
            os.fchmod(file.fd, stat.S_IMODE(mode) & ~UNTHROTTLE_BIT)
        try:
            whole = len(file.head) < HEAD
        except OSError:
            file.closed_unread()
        else:
            if whole:
                file.close()  # All of it is in memory.
        return Fetched(queue, queue_id, file, mode)

    def read(self, fetched: Fetched, *, now: float, most: int) -> Taken | None:
        """Read the envelope of a file; None when it is damaged, and in the corrupt queue now.

        *most*: recipients that are read at first.  Raises OSError.
        """
        queue, queue_id, file, mode = fetched
        keep = False
        try:
            envelope = Envelope(file)
            envelope.read(most)
            message = self._active(queue_id, envelope, now)
            if mode & EXPIRE_BIT:
                message.expire = True
            keep = not message.complete
        except MessageDamaged as damage:
            self.reject(queue_id, damage)
            return None
        finally:
            if not keep and file.fd >= 0:
                file.close()
        sizes = message.sizes
        log.info(
            f"{queue_id}: from=<{internal_to_external(message.sender)}>, size={sizes.content or sizes.segment}, "
            f"nrcpt={sizes.recipients} (queue active)"
        )
        if not message.expire and (queue == DEFERRED or now - message.arrival_time > _FRESH):
            self._forget_deferrals(queue_id)
        return Taken(message, envelope, bool(mode & UNTHROTTLE_BIT))

    def _may_be_taken(self, queue: str, queue_id: str, path: str, status: os.stat_result) -> bool:
        mode = stat.S_IMODE(status.st_mode)
        if mode & READY_MODE != READY_MODE:
            if mode == _CORRUPT_MODE:
                self._save_corrupt(queue, queue_id, path)
            return False
        if not stat.S_ISREG(status.st_mode):
            log.warning(f"{path}: uid {status.st_uid}: not a regular file")
            return False
        return True

    def reject(self, queue_id: str, damage: MessageDamaged) -> None:
        """Put an active file whose envelope is damaged into the corrupt queue, and say why."""
        path = self._spool.path(ACTIVE, queue_id)
        if damage.trouble:
            log.warning(f"{path}: {damage.trouble}")
        unexpected = isinstance(damage, UnexpectedRecord)
        log.warning(str(damage) if unexpected else f"{queue_id}: message rejected: {damage}")
        self._save_corrupt(ACTIVE, queue_id, path)

    def is_whole(self, queue_id: str) -> bool:
        """Tell whether an active message can be kept; if not, it is in the corrupt queue now.

        An agent that finds the file damaged has changed its mode.
        """
        path = self._spool.path(ACTIVE, queue_id)
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return True  # Somebody has removed it: nothing is wrong with it.
        mode = status.st_mode
        if stat.S_ISREG(mode) and mode & READY_MODE == READY_MODE:
            return True
        if not stat.S_ISREG(mode):
            log.warning(f"{path}: uid {status.st_uid}: not a regular file")
        self._save_corrupt(ACTIVE, queue_id, path)
        return False

    def _active(self, queue_id: str, envelope: Envelope, now: float) -> ActiveMessage:
        if not envelope.arrival_time:
            raise MessageDamaged("missing arrival time record")
        if envelope.sender is None:
            raise MessageDamaged("missing sender record")
        message = ActiveMessage(queue_id, envelope, envelope.sizes, now)
        if not envelope.complete:
            message.complete = False
            message.envelope = envelope
            message.unread = max(envelope.sizes.recipients - len(envelope.recipients), 1)
        trace_flags = message.attributes.get("trace_flags")
        if trace_flags:
            message.flags = whole_number(trace_flags) & _ALL_FLAGS
        if message.warn_time < 0 and self._confirm_delay_cleared and message.sender:
            message.flags |= RECORD_DELAY_SENT
        if message.verp and (not message.sender or len(message.verp) != 2):  # two delimiters
            log.warning(
                f"{queue_id}: ignoring VERP request for null sender"
                if not message.sender
                else f'{queue_id}: ignoring bad VERP request: "{message.verp:.100}"'
            )
            message.verp = ""
        return message

    def _forget_deferrals(self, queue_id: str) -> None:
        try:
            os.unlink(self._spool.path(DEFER, queue_id))
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning(f"remove {self._spool.path(DEFER, queue_id)}: {error.strerror}")

    def _save_corrupt(self, queue: str, queue_id: str, path: str) -> None:
        target = self._spool.path(CORRUPT, queue_id)
        try:
            try:
                os.rename(path, target)
            except FileNotFoundError:
                self._spool.make_folders(target)
                os.rename(path, target)
        except OSError as error:
            give_up(f"qmgr_active_corrupt: save corrupt file queue {queue} id {queue_id}: {error.strerror}")
        log.warning(f'saving corrupt file "{queue_id}" from queue "{queue}" to queue "{CORRUPT}"')

    def defer(self, queue_id: str, delay: int) -> None:
        """Move an active message to the deferred queue, to be tried again after *delay* seconds."""
        retry_at = int(time.time()) + delay
        try:
            os.utime(self._spool.path(ACTIVE, queue_id), (retry_at, retry_at))
            self._spool.rename(queue_id, ACTIVE, DEFERRED)
        except FileNotFoundError:
            pass  # postsuper(1) removed it meanwhile.
        except OSError as error:
            give_up(f"qmgr_active_defer: rename {queue_id} from {ACTIVE} to {DEFERRED}: {error.strerror}")


def give_up(reason: str) -> NoReturn:
    """End the process over a file that would stay in the active queue, where nobody would look at it again.

    The next process puts it back into incoming, and begins anew.
    """
    log.fatal(reason)
    log.finish()
    os._exit(1)
