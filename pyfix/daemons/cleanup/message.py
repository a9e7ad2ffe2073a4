"""A message on its way into the queue: what is known of it so far, and its queue file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pyfix.daemons.cleanup.setup import Setup
from pyfix.formats import status as bits
from pyfix.formats.mime import MimeError
from pyfix.formats.queuefile import SMTPUTF8_HEADER
from pyfix.formats.records import POINTER, SENDER, TEXT, encode_lines, encode_record
from pyfix.protocols.internal.cleanup import AUTO_UTF8, BOUNCE, DISCARD, MILTER, SMTPUTF8
from pyfix.queue.room import EMPTY_POINTER, ROOM_BYTES, Room, padding_after
from pyfix.queue.writer import QueueFileWriter
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.cleanup.milters import MessageMilters

CANNOT_BOUNCE: Final = bits.BAD | bits.WRITE | bits.DEFER | bits.PROXY | bits.NO_PERMISSION
"""Errors after which there is nothing to return to the sender, or no right to."""


class Delivered(NamedTuple):
    """A recipient as it stands in the queue file, for mail that cleanup itself must return."""

    recipient: str
    original: str
    dsn_original: str
    notify: int
    offset: int


class Message:
    """The state of one message."""

    __slots__ = (
        "arrival", "arrival_time", "attributes", "copies", "data_offset", "encoding", "envelope_id", "errors", "fatal",
        "file", "filter", "flags", "full_name", "has_time", "hops", "id_logged", "last_recipient", "message_id",
        "milters", "mime_error", "mixed", "notify_mask", "options", "out", "pending_notify", "pending_orcpt",
        "pending_original", "queue_id", "reason", "recipient_count", "recipients", "redirect", "resent", "ret_flags",
        "rewrite", "room", "seen", "seen_recipients", "segment_end", "sender", "setup", "warned",
    )  # fmt: skip

    def __init__(self, setup: Setup, file: QueueFileWriter) -> None:
        self.setup = setup
        self.file = file
        self.queue_id = file.queue_id
        self.flags = 0
        """What the client asked for: bits of pyfix.protocols.internal.cleanup."""
        self.errors = 0
        """What went wrong: bits of pyfix.formats.status."""
        self.fatal = -1
        """The errors that end the work on the message; others only make it be returned to its sender."""
        self.reason = ""
        """Text for the client, beside the bits."""
        # What goes into the file; out holds records that the file does not have yet.
        self.out: list[bytes] = []
        self.data_offset = 0
        self.segment_end = 0
        self.room: Room | None = None if setup.local_milters is None else Room(file)
        """Places that milters can change; None: there are no milters."""
        self.milters: MessageMilters | None = None
        # Envelope
        self.arrival = 0
        self.arrival_time = 0.0
        self.has_time = False
        self.sender: str | None = None
        self.full_name = b""
        self.attributes: dict[bytes, bytes] = {}
        self.envelope_id = b""
        self.ret_flags = 0
        self.rewrite: str | None = "local"
        """The context in which headers are rewritten; None: they are left alone and none are added."""
        self.encoding = b""
        self.options = 0
        """Bits of the last number of the size record."""
        self.notify_mask = 0
        self.mixed = False
        self.warned = False
        self.recipient_count = 0
        self.last_recipient: str | None = None
        """For log lines: the recipient that came last, before virtual aliases."""
        self.recipients: list[Delivered] = []
        self.seen_recipients: set[tuple[str, ...]] = set()
        self.pending_notify = 0
        self.pending_orcpt: str | None = None
        self.pending_original: str | None = None
        self.filter = b""
        self.redirect = b""
        self.copies: list[str] = []
        """Recipients of copies that header_checks and body_checks name."""
        # Header
        self.seen: set[str] = set()
        """Names of the known headers that the primary header has."""
        self.resent = ""
        """``Resent-`` when there is such a header: the headers that are added have it too."""
        self.hops = 0
        self.id_logged = False
        self.mime_error: MimeError | None = None
        self.message_id = b""

    def begin(self, flags: int) -> None:
        """Take note of what the client asks for."""
        self.flags = flags
        if flags & BOUNCE:
            self.fatal = CANNOT_BOUNCE | bits.SIZE

    def begin_local_milters(self) -> None:
        """Let non_smtpd_milters see the message, if the client wants milters to see it."""
        if self.flags & MILTER and self.setup.local_milters is not None:
            self.setup.local_milters.begin(self)

    @property
    def going(self) -> bool:
        """Whether the work goes on: no error has ended it, and the message is not to be dropped."""
        return not ((self.errors and self.errors & self.fatal) or self.flags & DISCARD)

    @property
    def smtputf8(self) -> bool:
        """Whether SMTPUTF8 was asked for, or found to be needed."""
        return bool(self.flags & SMTPUTF8)

    def refuse(self, text: str, error: int = bits.BAD) -> None:
        """Log why the message is not accepted."""
        log.warning(f"{self.queue_id}: message rejected: {text}")
        self.errors |= error

    def note_8bit(self) -> None:
        """Take note of a header that is not ASCII.  Source: postconf(5) smtputf8_enable."""
        if not self.setup.smtputf8:
            return
        self.options |= SMTPUTF8_HEADER
        if self.flags & AUTO_UTF8:
            self.flags |= SMTPUTF8

    def put(self, kind: int, data: bytes) -> None:
        """Add one record."""
        self.out.append(encode_record(kind, data))

    def put_sender(self, data: bytes) -> None:
        """Add the sender, with room for another."""
        room = self.room
        if room is None:
            self.out.append(encode_record(SENDER, data))
            return
        room.sender_place = self.flush()
        self.out.append(encode_record(SENDER, data) + padding_after(len(data), POINTER))
        room.sender_after = self.flush()

    def header_records(self, text: bytes) -> bytes:
        """Return the records of a header, its lines separated by newlines; with room for another, if need be."""
        limit = self.setup.line_limit
        if b"\n" not in text and len(text) <= limit:
            records = encode_record(TEXT, text)
            return records if self.room is None else records + padding_after(len(text))
        lines = text.split(b"\n")
        if self.room is None or len(lines[0]) >= ROOM_BYTES:
            return encode_lines(lines, limit)
        first = encode_record(TEXT, lines[0]) + padding_after(len(lines[0]))
        return first + encode_lines(lines[1:], limit)

    def put_pointer(self) -> tuple[int, int]:
        """Add a pointer that leads nowhere yet; return its offset, and that of what follows it."""
        place = self.flush()
        self.out.append(EMPTY_POINTER)
        return place, self.flush()

    def flush(self) -> int:
        """Hand the records in ``out`` to the file and return its length so far.

        Raises SizeLimitExceeded or OSError.
        """
        out, file = self.out, self.file
        if out:
            data = b"".join(out)
            out.clear()
            file.append(data)
        return file.size
