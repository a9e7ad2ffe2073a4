"""One queue file, opened: its sizes, its content as plain text, and marks in it.

Who delivers a message holds a shared lock on its file; who wants to remove or replace the file
takes an exclusive one.  The envelope is read by ``pyfix.queue.envelope``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from typing import Final, Literal

from pyfix.formats.number import LARGEST
from pyfix.formats.queuefile import SIZE_RECORD_BYTES, Sizes
from pyfix.formats.records import (
    EXTRACTED,
    PADDING,
    POINTER,
    SIZE,
    TEXT,
    UNTERMINATED,
    RecordError,
    decode_record,
    equal_run,
    text_of_run,
    what_is_missing,
)

HEAD: Final = 4096
"""Bytes that are read first; most messages fit."""
_BLOCK: Final = 262144
_MOST_JUMPS: Final = 10000
_SIZEHEADER: Final = 2
_MOST_DIGITS: Final = 19
_CORRUPT_MODE: Final = 0o400
_NO_MORE: Final = -1
_UNREADABLE: Final = -2
"""What stands for the type of a record that is not there, or cannot be read."""

Lock = Literal["shared", "exclusive"]
_LOCKS: Final = {"shared": fcntl.LOCK_SH | fcntl.LOCK_NB, "exclusive": fcntl.LOCK_EX | fcntl.LOCK_NB}


class MessageBusy(Exception):
    """Another process holds a lock on the queue file that excludes ours."""


class MessageDamaged(Exception):
    """The queue file is not one that cleanup(8) wrote and completed."""

    def __init__(self, text: str, trouble: str = "") -> None:
        """*trouble* says why a record cannot be read."""
        super().__init__(text)
        self.trouble = trouble


class ContentDamaged(MessageDamaged):
    """The content does not go on to its end; the text says at which type of record it stops."""

    def __init__(self, kind: int = _UNREADABLE, trouble: str = "") -> None:
        """*trouble* says why a record cannot be read."""
        super().__init__(f"bad record type: {kind} in message content", trouble)


class Message:
    """An open queue file.  close() it, or use it in a ``with`` statement."""

    _head: bytes | None = None
    _sizes: Sizes | None = None
    _rest = b""
    """The end of a small file, from _rest_start on: local(8) looks into the content before it copies it."""
    _rest_start = 0
    last_done = 0
    """The recipient record that was marked last, by its offset."""

    def __init__(self, path: str, lock: Lock | None = "shared", *, read_only: bool = False) -> None:
        """Open and lock the file at *path*.

        Raises OSError (FileNotFoundError when it is gone) or MessageBusy.
        """
        self.path = path
        self.fd = os.open(path, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC | os.O_NOFOLLOW)
        if lock is not None:
            try:
                fcntl.flock(self.fd, _LOCKS[lock])
            except BlockingIOError:
                self.close()
                raise MessageBusy(path) from None

    def unlock(self) -> None:
        """Give up the lock, and keep the file."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, which also gives up the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def closed_unread(self) -> None:
        """Close a file of which the disk does not give the beginning: what was not read is empty."""
        self._head = b""
        self.close()

    def __enter__(self) -> Message:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def head(self) -> bytes:
        """The first 4096 bytes of the file, or all of a smaller one."""
        if self._head is None:
            self._head = os.pread(self.fd, HEAD, 0)
        return self._head

    def read(self, start: int, size: int) -> bytes:
        """Return up to *size* bytes from offset *start*.  Raises OSError."""
        head = self._head
        if head is not None and (start + size <= len(head) or start <= len(head) < HEAD):
            return head[start : start + size]
        if self._rest and start == self._rest_start:
            return self._rest[:size]
        data = os.pread(self.fd, size, start)
        if len(data) < HEAD <= size:
            self._rest, self._rest_start = data, start
        return data

    @property
    def sizes(self) -> Sizes:
        """What the size record says.  Raises MessageDamaged."""
        if self._sizes is None:
            head = self.head
            if not head or (head[0] == SIZE and len(head) < SIZE_RECORD_BYTES):
                raise MessageDamaged("missing end record", what_is_missing(head) if head else "")
            if len(head) < SIZE_RECORD_BYTES or head[0] != SIZE:
                raise MessageDamaged("missing size record")
            try:
                self._sizes = Sizes.decode(head[_SIZEHEADER:SIZE_RECORD_BYTES])
            except ValueError as error:
                raise MessageDamaged("invalid size record") from error
        return self._sizes

    # Content

    def content_blocks(self, offset: int, size: int = _BLOCK) -> Iterator[bytes]:
        """Yield the text that begins at *offset*, each line with a newline, in blocks of whole records.

        *size* is the number of bytes that are read at a time.  Raises ContentDamaged, after all that stands before the
        damage.
        """
        position = offset
        jumps_back = 0
        while True:
            try:
                data = self.read(position, size)
            except OSError:
                data = b""  # For a reader of records there is nothing: what the disk does not give is lost.
            if not data:
                raise ContentDamaged(_NO_MORE)
            parts, used, jump, ended = decode_text(data)
            if parts:
                yield b"".join(parts)
            if ended:
                return
            if jump:
                jumps_back += jump < position + used
                if jumps_back > _MOST_JUMPS:
                    raise ContentDamaged(trouble="too many reverse jump records")
                position = jump
            elif used:
                position += used
            else:
                # A single record that is longer than what was read.
                if len(data) < size:
                    raise ContentDamaged(trouble=what_is_missing(data))
                size *= 4

    def content_pieces(self, offset: int, block: int = _BLOCK) -> Iterator[tuple[bytes, bool]]:
        """Yield the text that begins at *offset* as its records have it, and whether each ends a line.

        Only what is longer than postconf(5) line_length_limit is in several.  *block* is the number of bytes that are
        read at a time.  Raises MessageDamaged, OSError.
        """
        position, size = offset, block
        jumps = 0
        while True:
            data = self.read(position, size)
            used = 0
            while (found := _next_record(data, used)) is not None:
                kind, begin, used = found
                if kind in (TEXT, UNTERMINATED):
                    yield data[begin:used], kind == TEXT
                elif kind == EXTRACTED:
                    return
                elif kind == POINTER and (target := pointer_target(data[begin:used])):
                    jumps += 1
                    if jumps > _MOST_JUMPS:
                        raise MessageDamaged("too many pointer records")
                    position, used = target, 0
                    break
            else:
                if not used and len(data) < size:
                    raise MessageDamaged("the content has no end")
                position += used
                size = block if used else 4 * size

    def content(self, offset: int) -> bytes:
        """Return the whole text that begins at *offset*.  Raises ContentDamaged."""
        blocks = list(self.content_blocks(offset))
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    # Marks

    def overwrite(self, offset: int, data: bytes) -> None:
        """Replace bytes in place.  Raises OSError."""
        if os.pwrite(self.fd, data, offset) != len(data):
            raise OSError(0, f"short write to {self.path}")

    def mark_done(self, offset: int) -> None:
        """Turn the recipient record at *offset* into one that is done.  Raises OSError."""
        if offset > 0:
            os.pwrite(self.fd, b"D", offset)
            self.last_done = offset

    def mark_corrupt(self) -> None:
        """Let qmgr(8) save the file in the corrupt queue.  Raises OSError."""
        os.fchmod(self.fd, _CORRUPT_MODE)

    def is_recipient(self, offset: int) -> bool:
        """Tell whether a recipient record (done or not) starts at *offset*."""
        return os.pread(self.fd, 1, offset) in (b"R", b"D")


def decode_text(data: bytes) -> tuple[list[bytes], int, int, bool]:
    """Decode the text records at the start of *data*.

    Returns their text in parts, the offset after the last complete record, where a pointer leads (0: none), and
    whether the content ended.  Raises ContentDamaged for a first record that cannot stand there; it is not decoded
    while others stand before it.
    """
    if len(data) < HEAD and data.isascii():
        small = _decode_small(data)
        if small is not None:
            return small
    parts: list[bytes] = []
    append = parts.append
    position, end = 0, len(data)
    last = end - 1
    newline = b"\n"
    last_length = -1
    while position < last:
        kind = data[position]
        length = data[position + 1]
        if length < 0x80:
            begin = position + 2
            after = begin + length
            if after > end:
                break
        else:
            try:
                found = decode_record(data, position, end)
            except RecordError as error:
                if position:
                    break
                raise ContentDamaged(trouble=str(error)) from error
            if found is None:
                break
            kind, begin, after = found
        if kind == TEXT:
            if length == last_length:
                # The second line of one length: there may be many, as in an encoded attachment.
                count = equal_run(data, position, end)
                if count > 1:
                    append(text_of_run(data, position, count))
                    position += count * (length + 2)
                    last_length = -1
                    continue
            append(data[begin:after])
            append(newline)
            last_length = length if length < 0x80 else -1
        elif kind == UNTERMINATED:
            append(data[begin:after])
        elif kind == EXTRACTED:
            return parts, after, 0, True
        elif kind == POINTER:
            target = pointer_target(data[begin:after])
            if target is None:
                if position:
                    break
                value = data[begin:after].lstrip().decode("utf-8", "surrogateescape")
                raise ContentDamaged(trouble=f"malformed pointer record value: {value}")
            if target:
                return parts, after, target, False
        elif kind != PADDING:
            if position:
                break
            raise ContentDamaged(kind)
        position = after
    return parts, position, 0, False


def _next_record(data: bytes, start: int) -> tuple[int, int, int] | None:
    """Return type, payload offset and end of the record at *start*, None if it is not all there."""
    try:
        return decode_record(data, start, len(data))
    except RecordError as error:
        raise MessageDamaged(str(error)) from error


def _decode_small(data: bytes) -> tuple[list[bytes], int, int, bool] | None:
    """Decode the content of a small message in ASCII, where no length has more than one digit.

    None for content that has other records than terminated text, and for one that does not end here.
    """
    lines: list[bytes] = []
    keep = lines.append
    position = 0
    try:
        while data[position] == 0x4E:  # TEXT
            begin = position + 2
            position = begin + data[position + 1]
            keep(data[begin:position])
        if data[position] != EXTRACTED:
            return None
        after = position + 2 + data[position + 1]
    except IndexError:
        return None
    if not lines:
        return [], after, 0, True
    keep(b"")
    return [b"\n".join(lines)], after, 0, True


def pointer_target(payload: bytes) -> int | None:
    """Return the offset in a pointer record, 0 for one that leads nowhere, None when it has no offset."""
    digits = payload.lstrip()
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        return None
    target = int(digits)
    return target if target < LARGEST else None
