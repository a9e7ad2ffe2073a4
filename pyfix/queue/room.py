"""Room for milters in a queue file: places where it can be changed after it is complete, and how they are changed.

A record is never longer than what it replaces: a pointer record takes its place, and leads to what was added at the end
of the file, behind the E record, from where another pointer leads back.  So the records that a pointer may replace must
be at least as long as one; shorter ones have padding behind them.
Source: cleanup(8); the queue files of Postfix 3.11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyfix.formats.header import header_name_end
from pyfix.formats.records import (
    CANCELED_RECIPIENT,
    END,
    MESSAGE,
    ORIGINAL_RECIPIENT,
    PADDING,
    POINTER,
    RECIPIENT,
    TEXT,
    UNTERMINATED,
    encode_record,
)
from pyfix.queue.bodyedit import BodyEdit
from pyfix.queue.linkedrecords import (
    MOST_JUMPS,
    ROOM_BYTES,
    DamagedFile,
    FoundRecord,
    LinkedRecords,
    pointer_record,
)
from pyfix.queue.message import MessageDamaged, decode_text
from pyfix.queue.writer import QueueFileWriter

__all__ = ["EMPTY_POINTER", "ROOM_BYTES", "DamagedFile", "Room", "padding_after"]

_BODY_BLOCK: Final = 262144


EMPTY_POINTER: Final = pointer_record(0)
"""Leads nowhere, until something is added in its place."""


def padding_after(length: int, kind: int = PADDING) -> bytes:
    """Return what must follow a record with a text of *length* bytes so that a pointer can take its place."""
    if length >= ROOM_BYTES:
        return b""
    return encode_record(kind, b"0".rjust(ROOM_BYTES - 2 - length))


class Room(LinkedRecords):
    """The places of one file.  Offsets of 0 are not known (yet)."""

    __slots__ = (
        "_body", "_has_empty_line", "_own", "body_place", "content_end", "content_length",
        "data_offset", "extracted_after", "extracted_place", "header_after", "header_place", "recipients_after",
        "recipients_place", "sender_after", "sender_place",
    )  # fmt: skip

    def __init__(self, file: QueueFileWriter) -> None:
        super().__init__(file)
        self._body: BodyEdit | None = None
        self._has_empty_line = True
        self._own = b""
        """The first line of the header that says that we have received the message; milters do not know of it."""
        self.sender_place = self.sender_after = 0
        """Where the sender is, and what follows it."""
        self.recipients_place = self.recipients_after = 0
        """Where a pointer leads on from the last recipient of the envelope, and what followed it at first."""
        self.header_place = self.header_after = 0
        """The same for the last header."""
        self.data_offset = 0
        """Where the content begins."""
        self.body_place = 0
        """Where the body begins, behind the empty line."""
        self.content_end = 0
        """Where the X record is."""
        self.extracted_place = self.extracted_after = 0
        """Where a pointer leads on among the records after the content, and what followed it at first."""
        self.content_length = 0
        """Bytes of the content as the size record has them, once the body was replaced."""

    def headers(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield name and body of each header but our own, the lines of a body separated by newlines.

        Raises DamagedFile, OSError.
        """
        offset = self.data_offset
        jumps = 0
        own, first = self._own, b""
        name, lines = b"", list[bytes]()
        amid_line = False
        while True:
            record = self.at(offset)
            offset = record.after
            if record.kind == POINTER:
                jumps += 1
                if jumps > MOST_JUMPS:
                    raise DamagedFile("too many pointers")
                offset = self.jump(record)
                continue
            if record.kind == PADDING:
                continue
            text = record.text if record.kind in (TEXT, UNTERMINATED) else b""
            if amid_line:
                lines[-1] += text
            elif lines and text[:1] in (b" ", b"\t"):
                lines.append(text)
            else:
                if lines and first == own:
                    own = b""
                elif lines:
                    yield name, b"\n".join(lines)
                first = text
                end = header_name_end(text)
                if not end:
                    return
                name, lines = text[:end], [text[text.index(b":") + 1 :]]
            amid_line = record.kind == UNTERMINATED

    def find_body(self) -> None:
        """Find our own header, and where the body begins: behind the empty line, if there is one.

        Raises DamagedFile, OSError.
        """
        self._own = b""
        received = self._find_header(1, b"Received", backup=False)
        self._own = b"" if received is None else received.text
        record = self.at(self.header_after)
        self._has_empty_line = record.kind == TEXT and not record.text
        self.body_place = record.after if self._has_empty_line else self.header_after

    # Headers

    def _find_header(self, index: int, name: bytes | None, *, backup: bool) -> FoundRecord | None:
        """Return the first record of a header, the one of number *index* among those of its name (None: among all).

        Our own counts only among all.  With *backup* the pointer that leads to a header stands for it, if one does.
        """
        own = self._own if name is not None else b""
        offset = self.data_offset
        pointer: FoundRecord | None = None
        amid_line = False
        jumps = 0
        while offset != self.header_place:
            record = self.at(offset)
            offset = record.after
            if record.kind == PADDING:
                continue
            if record.kind == POINTER:
                jumps += 1
                if jumps > MOST_JUMPS:
                    raise DamagedFile("too many pointers")
                pointer, offset = record, self.jump(record)
                continue
            if record.kind not in (TEXT, UNTERMINATED):
                return None
            if not amid_line and record.text[:1] not in (b" ", b"\t"):
                end = header_name_end(record.text)
                if not end:
                    return None
                if own and record.text == own:
                    own = b""
                elif name is None or record.text[:end].lower() == name.lower():
                    index -= 1
                    if not index:
                        return pointer if backup and pointer is not None else record
            amid_line = record.kind == UNTERMINATED
            pointer = None
        return None

    def _header_end(self, first: FoundRecord) -> int:
        """Return the offset of what follows a header."""
        offset, amid_line = first.after, first.kind == UNTERMINATED
        jumps = 0
        while offset != self.header_place:
            record = self.at(offset)
            if record.kind == POINTER:
                jumps += 1
                if jumps > MOST_JUMPS:
                    raise DamagedFile("too many pointers")
                offset = self.jump(record)
                continue
            if record.kind != PADDING:
                if record.kind not in (TEXT, UNTERMINATED) or (not amid_line and record.text[:1] not in (b" ", b"\t")):
                    break
                amid_line = record.kind == UNTERMINATED
            offset = record.after
        return offset

    def add_header(self, records: bytes) -> None:
        """Add a header at the end.  Raises SizeLimitExceeded, DamagedFile, OSError."""
        place = self.append(records + pointer_record(self.header_after))
        self.lead(self.header_place, place)
        self.header_place = place + len(records)

    def insert_header(self, index: int, records: bytes) -> None:
        """Insert a header before the one of number *index*.  Raises SizeLimitExceeded, DamagedFile, OSError."""
        found = self._find_header(index, None, backup=True)
        if found is None:
            self.add_header(records)
            return
        records += encode_record(found.kind, found.text)
        if found.kind != POINTER:
            records += padding_after(len(found.text)) + pointer_record(self._behind(found))
        self.lead(found.place, self.append(records))

    def _behind(self, record: FoundRecord) -> int:
        """Return the offset of what follows a record and its padding."""
        following = self.at(record.after)
        return following.after if following.kind == PADDING else record.after

    def change_header(self, index: int, name: bytes, records: bytes) -> None:
        """Put another header in the place of one.  Raises SizeLimitExceeded, DamagedFile, OSError."""
        found = self._find_header(index, name, backup=False)
        if found is None:
            self.add_header(records)
            return
        after = self._header_end(found)
        self.lead(found.place, self.append(records + pointer_record(after)))

    def delete_header(self, index: int, name: bytes) -> None:
        """Remove a header.  Raises DamagedFile, OSError."""
        found = self._find_header(index, name, backup=False)
        if found is not None:
            self.lead(found.place, self._header_end(found))

    # Envelope

    def change_sender(self, records: bytes) -> None:
        """Put another sender in the place of the present one; padding is part of *records*.

        Raises SizeLimitExceeded, OSError.
        """
        place = self.append(records + pointer_record(self.sender_after))
        self.lead(self.sender_place, place)
        self.sender_place, self.sender_after = place, place + len(records)

    def add_recipients(self, records: bytes) -> int:
        """Add recipients, and return where they are.  Raises SizeLimitExceeded, OSError."""
        place = self.append(records + pointer_record(self.recipients_after))
        self.lead(self.recipients_place, place)
        self.recipients_place = place + len(records)
        return place

    def add_extracted(self, records: bytes) -> None:
        """Add records to those after the content.  Raises SizeLimitExceeded, OSError."""
        place = self.append(records + pointer_record(self.extracted_after))
        self.lead(self.extracted_place, place)
        self.extracted_place = place + len(records)

    def delete_recipient(self, address: bytes) -> int:
        """Mark the recipients that were given as *address*; return how many.  Raises DamagedFile, OSError."""
        offset = count = jumps = 0
        original: bytes | None = None
        while True:
            record = self.at(offset)
            offset = record.after
            if record.kind == POINTER:
                jumps += 1
                if jumps > MOST_JUMPS:
                    raise DamagedFile("too many pointers")
                offset = self.jump(record)
            elif record.kind == MESSAGE:
                offset = self.content_end
            elif record.kind == END:
                return count
            elif record.kind == ORIGINAL_RECIPIENT:
                original = record.text
            elif record.kind == RECIPIENT:
                if address == (record.text if original is None else original):
                    self.overwrite(record.place, bytes((CANCELED_RECIPIENT,)))
                    count += 1
                original = None

    # The body

    def replace_body(self) -> None:
        """Begin a new body, in the place of the present one.  Raises OSError."""
        self.lead(self.header_place, self.header_after)
        if self._body is None:
            self._body = BodyEdit(self, self.body_place, self.content_end)
        self._body.begin()
        if not self._has_empty_line:
            self._body.add(encode_record(TEXT))

    def add_line(self, text: bytes, *, ended: bool) -> None:
        """Add a line to the new body, or a part of one.  Raises SizeLimitExceeded, OSError."""
        assert self._body is not None
        self._body.add(encode_record(TEXT if ended else UNTERMINATED, text))

    def end_body(self) -> None:
        """End the new body.  Raises SizeLimitExceeded, OSError."""
        assert self._body is not None
        self.content_length = self.body_place - self.data_offset + self._body.end()

    def body_blocks(self) -> Iterator[bytes]:
        """Yield the body in blocks, its lines ended by newlines.  Raises DamagedFile, OSError."""
        offset, size = self.body_place, _BODY_BLOCK
        jumps = 0
        while True:
            data = self.read(offset, size)
            try:
                parts, used, jump, ended = decode_text(data)
            except MessageDamaged as error:
                raise DamagedFile(str(error)) from None
            if parts:
                yield b"".join(parts)
            if ended:
                return
            if jump:
                jumps += 1
                if jumps > MOST_JUMPS:
                    raise DamagedFile("too many pointers")
                offset = jump
            elif used:
                offset += used
            elif len(data) < size:
                raise DamagedFile(f"no record at {offset}")
            else:
                size *= 4
