"""One client of cleanup(8), from the queue id that it is told to the status of its message.

Whatever happens on the way, in the end the queue file is complete and safe on the disk, or it is gone.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from pyfix.daemons.cleanup.content import read_content
from pyfix.daemons.cleanup.ending import enqueue, return_to_sender
from pyfix.daemons.cleanup.envelope import read_envelope
from pyfix.daemons.cleanup.extracted import read_extracted
from pyfix.daemons.cleanup.message import CANNOT_BOUNCE, Message
from pyfix.daemons.cleanup.setup import Setup
from pyfix.daemons.cleanup.source import EndOfInput, RecordSource
from pyfix.daemons.cleanup.wishes import BadWishes, read_flags
from pyfix.formats import status as bits
from pyfix.formats.attributes import encode_pairs
from pyfix.formats.queuefile import EMPTY_SIZES
from pyfix.formats.records import RecordError
from pyfix.protocols.internal.cleanup import BOUNCE, DISCARD, PROTOCOL, Status
from pyfix.queue.writer import QueueFileWriter, SizeLimitExceeded
from pyfix.rewriting.lookup import MappingError
from pyfix.runtime.groupcommit import GroupCommit
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout

if TYPE_CHECKING:
    from pyfix.daemons.cleanup.milters import MessageMilters

_GREETING: Final = encode_pairs([("protocol", PROTOCOL), ("queue_id", "")])[:-2]
"""What the client hears first, up to the queue id."""
_match_flags: Final = re.compile(rb"flags\0([0-9]{1,9})\0\0").match
_ACCEPTED: Final = Status(status=0, reason="").encode()
_SOCKET: Final = "cleanup socket"
_ALIAS_ERROR: Final = "4.6.0 Alias expansion error"


class Session:
    """Takes one message from a client and puts it into the queue."""

    __slots__ = (
        "_begun", "_commit", "_file", "_message", "_queued", "_removed", "_stalled", "_stream", "queued", "rest",
    )  # fmt: skip

    def __init__(
        self,
        stream: Stream,
        setup: Setup,
        file: QueueFileWriter,
        commit: GroupCommit,
        queued: Callable[[], None],
        begun: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """*queued* is called when the message is in the incoming queue, for qmgr(8) to hear of it.

        *begun*, if given, is called when the message begins; it may never do.
        """
        self._begun = begun
        self._stream = stream
        self._file = file
        self._commit = commit
        self._queued = queued
        self._message = Message(setup, file)
        self._removed = False
        self._stalled = False
        """Whether the client has said nothing for too long: it is not told a status either."""
        self.rest = b""
        """What came after the message."""
        self.queued = False
        """Whether the message is in the incoming queue."""

    async def run(self) -> bool:
        """Serve the client; tell whether its message was accepted.

        Raises StreamClosed or StreamTimeout when the status can't be told.
        """
        message = self._message
        try:
            if not await self._take():
                self._file.remove()
                return False
            if message.milters is not None:
                await self._ask_milters(message.milters)
            accepted = not message.errors and not message.flags & DISCARD and await self._enqueue()
            if message.errors and message.flags & BOUNCE:
                await self._bounce()
        except BaseException:
            self._remove("canceled")
            raise
        if accepted:
            self._stream.write(_ACCEPTED)
            return True
        self._remove("canceled" if message.errors else "discarded")
        if self._stalled:
            return False
        self._stream.write(Status(status=message.errors, reason=message.reason).encode())
        return False

    # The message

    async def _take(self) -> bool:
        """Take the message, what goes wrong stands in its error bits; False when the client did not begin with one."""
        message = self._message
        source: RecordSource | None = None
        try:
            source = await self._begin()
            if source is None:
                return False
            if message.going:
                message.out.append(EMPTY_SIZES)
                await read_envelope(message, source)
            if message.going:
                await read_content(message, source)
            if message.going:
                await read_extracted(message, source)
        except SizeLimitExceeded:
            self._too_large()
        except RecordError:
            self._bad_record(source)
            message.errors |= bits.BAD
            return True
        except (EndOfInput, StreamClosed) as end:
            if source is not None and isinstance(end, EndOfInput):
                _report_cut(source)
            message.errors |= bits.BAD
            return True
        except StreamTimeout:
            self._timed_out(source)
            message.errors |= bits.BAD
            return True
        except MappingError as error:
            (log.warning if error.warns else log.info)(f"{message.queue_id}: {error}")
            message.errors |= bits.DEFER if error.unreasonable else bits.WRITE
            if error.of_alias:
                message.reason = _ALIAS_ERROR
        except ServiceError:
            message.errors |= bits.WRITE
        except OSError as error:
            self._not_written(error)
        if source is not None:
            if not message.going:
                await self._skip(source)
            self.rest = source.data[source.position :]
        if message.going and message.last_recipient is None:
            message.errors |= bits.NO_RECIPIENT
        return True

    async def _ask_milters(self, milters: MessageMilters) -> None:
        """Let the milters see the message, and change it."""
        message = self._message
        try:
            if not message.errors and not message.flags & DISCARD:
                message.flush()
                await milters.inspect()
        except SizeLimitExceeded:
            self._too_large()
        except OSError as error:
            self._not_written(error)
        finally:
            milters.end()

    async def _begin(self) -> RecordSource | None:
        """Tell the queue id, and learn what the client wants; None when it may want nothing and does not."""
        message, stream = self._message, self._stream
        stream.write(b"%b%b\0\0" % (_GREETING, message.queue_id.encode("ascii")))
        stream.send_early()
        data = await self._first_bytes()
        if data is None:
            return None
        for name in self._file.remove_stale_logs():
            log.warning(f"{message.queue_id}: removed spurious {name} log")
        plain = _match_flags(data)
        if plain is not None:
            source = RecordSource(stream, data)
            source.position = plain.end()
            message.begin(int(plain[1]))
            message.begin_local_milters()
            if message.flags & DISCARD:
                self._remove("discarded")
            return source
        source = RecordSource(stream, data)
        try:
            message.begin(await read_flags(source))
            message.begin_local_milters()
        except BadWishes:
            message.errors |= bits.BAD
            source.ended = True  # what follows is no message
        if message.flags & DISCARD:
            self._remove("discarded")
        return source

    async def _first_bytes(self) -> bytes | None:
        """Return the first bytes of the message, None when none is to come."""
        if self._begun is None:
            return await self._stream.read()
        try:
            data = await self._stream.read()
        except (StreamClosed, StreamTimeout):
            return None
        if data:
            await self._begun()
        return data or None

    async def _skip(self, source: RecordSource) -> None:
        """Read on to the end of a message with which nothing is done any more, so that the client hears the status."""
        discarded = self._removed
        try:
            await source.skip()
        except EndOfInput:
            if not discarded:
                _report_cut(source)
        except RecordError:
            if not discarded:
                self._bad_record(source)
        except StreamTimeout:
            if not discarded:
                self._timed_out(source)
        except StreamClosed:
            pass

    # What goes wrong

    def _timed_out(self, source: RecordSource | None) -> None:
        if source is not None:
            _report_cut(source)
        log.warning(f"{self._message.queue_id}: read timeout on {_SOCKET}")
        self._stalled = True

    def _too_large(self) -> None:
        log.warning(f"{self._message.queue_id}: queue file size limit exceeded")
        self._message.errors |= bits.SIZE

    def _not_written(self, error: OSError) -> None:
        if error.errno == errno.EFBIG:
            self._too_large()
            return
        log.warning(f"{self._message.queue_id}: write queue file: {error.strerror}")
        self._message.errors |= bits.WRITE

    def _bad_record(self, source: RecordSource | None) -> None:
        kind = source.data[source.position] if source is not None and source.position < len(source.data) else 0
        log.warning(f"{_SOCKET}: too many length bits, record type {kind}")

    # The end

    async def _enqueue(self) -> bool:
        """Make the message safe in the queue; tell whether it is."""
        message = self._message
        try:
            self.queued = await enqueue(message, self._commit)
        except SizeLimitExceeded:
            self._too_large()
            return False
        except OSError as error:
            self._not_written(error)
            return False
        if self.queued:
            self._queued()
        return True

    async def _bounce(self) -> None:
        """Return the message to its sender, if it can be; then there is no error to report."""
        message = self._message
        if message.errors & (CANNOT_BOUNCE | bits.NO_RECIPIENT):
            return
        try:
            returned = await return_to_sender(message)
        except OSError as error:
            self._not_written(error)
            return
        message.errors = 0 if returned else bits.WRITE

    def _remove(self, why: str) -> None:
        if self._removed:
            return
        self._removed = True
        if self._message.errors & bits.SIZE:
            # The data that were too many still wait in memory; Postfix says so too.
            log.warning("mail_stream_cleanup: close error")
        try:
            self._file.remove()
        except OSError as error:
            log.warning(f"remove {self._file.path}: {error.strerror}")
            return
        log.info(f"{self._message.queue_id}: removed ({why})")


def _report_cut(source: RecordSource) -> None:
    """Log that the input has ended amid a record."""
    rest = source.data[source.position :]
    if not rest:
        return
    length = shift = 0
    for digit in rest[1:]:
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            log.warning(f"{_SOCKET}: unexpected EOF in data, record type {rest[0]} length {length}")
            return
    log.warning(f"{_SOCKET}: unexpected EOF reading length, record type {rest[0]}")
