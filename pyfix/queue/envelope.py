"""The envelope of a queue file: sender, recipients, and what else is known of a message.

The envelope stands before the content, more of it (the extracted segment) after.  Recipients
can be read in portions, so that a message with very many does not fill the memory.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pyfix.formats import records
from pyfix.formats.number import LARGEST, whole_number
from pyfix.formats.queuefile import Sizes
from pyfix.formats.records import RecordError, decode_record, what_is_missing
from pyfix.queue.message import HEAD, Message, MessageDamaged, pointer_target

_BLOCK: Final = 65536
_MOST_JUMPS: Final = 10000
_UTF8: Final = "utf-8"
_ESCAPE: Final = "surrogateescape"
_PAIRS: Final = re.compile(r"(?:\A|\0)([^=\0]*)=([^\0]*)").findall
"""Names and values of named attributes that NULs separate."""
_OTHER_ATTRIBUTES: Final = r"(?:A.(?!dsn_orig_rcpt=|notify_flags=)[^\0]*\0)*"
_USUAL: Final = re.compile(
    rf"(?s)C.[^\0]*\0{_OTHER_ATTRIBUTES}T.([0-9]{{1,12}})(?: ([0-9]{{1,6}}))?\0{_OTHER_ATTRIBUTES}"
    rf"S.([^\0]*)\0{_OTHER_ATTRIBUTES}(?:A.dsn_orig_rcpt=([^\0]*)\0)?(?:A.notify_flags=([0-9]{{1,10}})\0)?"
    rf"(?:O.([^\0]*)\0)?R.([^\0]*)\0M\0\0X\0\0{_OTHER_ATTRIBUTES}E\0"
).fullmatch
"""The envelope of nearly every message, its records in ASCII with NULs between them: time, sender, one recipient."""
_USUAL_PAIRS: Final = re.compile(r"\0A[^\0](?!dsn_orig_rcpt=|notify_flags=)([^=\0]*)=([^\0]*)").findall
_USUAL_EMPTY: Final = 3
"""Records without a text in such an envelope, all but the sender."""


class UnexpectedRecord(MessageDamaged):
    """A record of the envelope can't stand there."""

    def __init__(self, kind: int, offset: int) -> None:
        """*offset* is where in the file the record begins."""
        super().__init__(f"Unexpected record type '{chr(kind)}' at offset {offset}")


class EnvelopeRecipient(NamedTuple):
    """One recipient that is not done."""

    original_recipient: str
    recipient: str
    offset: int
    dsn_orig_rcpt: str
    notify_flags: int


class Envelope:
    """What qmgr(8) reads of a message."""

    # What most messages do not have stands here and not in each object: one is made for each message.
    arrival_time = 0.0
    """Seconds of the clock, when the message arrived."""
    sender: str | None = None
    filter = ""
    inspector = ""
    redirect = ""
    verp = ""
    return_receipt = ""
    errors_to = ""
    warn_time = 0
    """When the delay notice is due, -1 when it was sent, 0 for none."""
    warn_offset = 0
    """Where the record with the time of the delay notice is; 0 when there is none."""
    complete = False
    """Whether all recipients were read."""
    original_recipient = ""
    _attributes: dict[str, str] | None = None
    _position = 0
    _jumps = 0
    _limit = 0
    _tail = False

    def __init__(self, message: Message) -> None:
        """Begin to read; nothing is read yet."""
        self.message = message
        self.sizes: Sizes
        """What the size record says, after the first read()."""
        self.recipients: list[EnvelopeRecipient] = []
        self._raw: list[bytes] = []

    @property
    def attributes(self) -> dict[str, str]:
        """The named attributes that were read: the first of a name counts, but the last ``encoding``."""
        if self._attributes is None:
            # A value has no NUL, which ends each text where Postfix's programs read it.
            self._attributes = _first_of_each(_PAIRS(b"\0".join(self._raw).decode(_UTF8, _ESCAPE)))
        return self._attributes

    def read(self, most: int = 0) -> None:
        """Read on, until there are *most* recipients (0: to the end).

        Raises MessageDamaged, OSError.
        """
        sizes = self.sizes = self.message.sizes
        if self._position == 0 and (sizes.data_offset <= 0 or sizes.segment < 0 or sizes.flags < 0):
            raise MessageDamaged("weird size record")
        self._limit = most
        if not self._position and self._read_usual(self.message.head, sizes):
            return
        while not self.complete:
            data = self._block()
            start = self._position
            ended, jump, used = self._walk(data, start)
            if ended:
                if self._tail:
                    self.complete = True
                else:
                    self._tail = True
                    # The first record there is the X that ends the content.
                    self._position = sizes.data_offset + sizes.segment
            elif jump:
                self._jumps += 1
                if self._jumps > _MOST_JUMPS:
                    raise MessageDamaged("too many pointer records")
                self._position = jump
            elif used:
                self._position = start + used
                if self._limit and len(self.recipients) >= self._limit:
                    return
            else:
                raise MessageDamaged("missing end record", what_is_missing(data) if data else "")

    def _read_usual(self, head: bytes, sizes: Sizes) -> bool:
        """Read the whole envelope if it is of the kind that nearly every message has; if not, read nothing.

        Other envelopes, with more recipients, old records or other characters, are read record by record.
        """
        if sizes.recipients != 1 or len(head) >= HEAD:
            return False
        content = sizes.data_offset
        envelope = head[:content] + head[content + sizes.segment :]
        if not envelope.isascii():
            return False  # In ASCII there are also no records of 128 bytes, whose length has more than one digit.
        text = envelope.decode("ascii")
        records: list[str] = []
        keep = records.append
        after, end = 0, len(text)
        try:
            while after < end:
                start = after
                after += envelope[after + 1] + 2
                keep(text[start:after])
        except IndexError:
            return False
        joined = "\0".join(records)
        found = _USUAL(joined)
        if found is None or after != end:
            return False
        seconds, micro, sender, orcpt, notify, original, recipient = found.groups("")
        if envelope.count(0) != (_USUAL_EMPTY if sender else _USUAL_EMPTY + 1):
            return False  # A NUL ends a text before its record does.
        self.sender = sender
        self.arrival_time = int(seconds) + int(micro or 0) / 1e6
        self._attributes = _first_of_each(_USUAL_PAIRS(joined))
        # Behind it is only the M record, of two bytes like the beginning of each record.
        offset = content - len(recipient) - 4
        self.recipients.append(EnvelopeRecipient(original, recipient, offset, orcpt, int(notify or 0)))
        self.complete = self._tail = True
        return True

    def _block(self) -> bytes:
        message, start = self.message, self._position
        head = message.head
        if len(head) < HEAD or (not start and message.sizes.data_offset <= HEAD):
            return head[start:]
        return message.read(start, _BLOCK)

    def _walk(self, data: bytes, base: int) -> tuple[bool, int, int]:
        """Read records of *data*, which begins at offset *base* of the file.

        Returns whether the segment ended, where a pointer leads (0: nowhere), and how many bytes were used.
        """
        position, end = 0, len(data)
        last = end - 1
        recipients = self.recipients
        keep = self._raw.append
        limit = self._limit
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
                    raise MessageDamaged("missing end record", str(error)) from error
                if found is None:
                    break
                kind, begin, after = found
            if kind == 0x41:  # ATTRIBUTE
                keep(data[begin:after])
            elif kind == 0x4F:  # ORIGINAL_RECIPIENT
                self.original_recipient = data[begin:after].decode(_UTF8, _ESCAPE)
            elif kind == 0x52:  # RECIPIENT
                dsn_orig_rcpt, notify_flags = self._of_recipient()
                recipients.append(
                    EnvelopeRecipient(
                        self.original_recipient,
                        data[begin:after].decode(_UTF8, _ESCAPE),
                        base + position,
                        dsn_orig_rcpt,
                        notify_flags,
                    )
                )
                self.original_recipient = ""
                if limit and len(recipients) >= limit:
                    return False, 0, after
            elif kind in (records.DONE, records.CANCELED_RECIPIENT):
                self._of_recipient()
                self.original_recipient = ""
            elif kind in (0x4D, 0x45):  # MESSAGE, END
                self._attributes = None
                return True, 0, after
            elif kind == records.POINTER:
                target = pointer_target(data[begin:after])
                if target is None:
                    value = data[begin:after].lstrip().decode(_UTF8, _ESCAPE)
                    raise MessageDamaged("missing end record", f"malformed pointer record value: {value}")
                if target:
                    return False, target, after
            elif kind == 0x53 and self.sender is None:  # SENDER
                self.sender = data[begin:after].decode(_UTF8, _ESCAPE)
            elif kind != 0x43:  # SIZE
                self._single(kind, data[begin:after].decode(_UTF8, _ESCAPE), base + position)
            position = after
        return False, 0, position

    def _of_recipient(self) -> tuple[str, int]:
        """Take the attributes that belong to the next recipient only: they stand right before it."""
        raw = self._raw
        dsn_orig_rcpt, notify_flags = "", 0
        while raw:
            if raw[-1].startswith(b"dsn_orig_rcpt="):
                dsn_orig_rcpt = raw.pop()[14:].decode(_UTF8, _ESCAPE)
            elif raw[-1].startswith(b"notify_flags="):
                value = raw.pop()[13:]
                notify_flags = whole_number(value)
            else:
                break
        return dsn_orig_rcpt, notify_flags

    def _single(self, kind: int, value: str, offset: int) -> None:
        """Keep a record that counts once: the first of its kind."""
        if kind == records.SENDER:
            if self.sender is None:
                self.sender = value
        elif kind == records.TIME:
            if not self.arrival_time:
                self.arrival_time = _time(value)
        elif kind == records.FILTER:
            self.filter = value
        elif kind == records.INSPECTOR:
            self.inspector = value
        elif kind == records.REDIRECT:
            self.redirect = value
        elif kind == records.WARN:
            if not self.warn_offset:
                self.warn_offset = offset
                # Negative when the notice was sent.
                text = value.strip()
                self.warn_time = -1 if text[:1] == "-" else whole_number(text)
        elif kind == records.VERP:
            if not self.verp:
                self.verp = value
        elif kind == records.RETURN_RECEIPT:
            self.return_receipt = self.return_receipt or value
        elif kind == records.ERRORS_TO:
            self.errors_to = self.errors_to or value
        elif kind in _OLD_ATTRIBUTES:
            self._raw.append(f"{_OLD_ATTRIBUTES[kind]}={value}".encode(_UTF8, _ESCAPE))
        elif not kind:
            raise MessageDamaged("missing end record")
        elif kind not in _IGNORED and (kind != records.EXTRACTED or not self._tail):
            raise UnexpectedRecord(kind, offset)


_OLD_ATTRIBUTES: Final = {
    records.DSN_ENVELOPE_ID: "envelope_id",
    records.DSN_RET: "ret_flags",
    records.CREATE_TIME: "create_time",
}
_IGNORED: Final = frozenset((records.FULL_NAME, records.KILLED, records.PADDING, records.PRIORITY))


def _first_of_each(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the attributes as a dict: the first of a name counts, but the last ``encoding``."""
    found = dict(reversed(pairs))
    if "encoding" in found:
        found["encoding"] = [value for name, value in pairs if name == "encoding"][-1]
    return found


def _time(value: str) -> float:
    seconds, _, micro = value.partition(" ")
    try:
        arrival = int(seconds) + (int(micro) / 1e6 if micro else 0.0)
    except (ValueError, OverflowError):
        raise MessageDamaged("bad arrival time record") from None
    if not 0 <= arrival < LARGEST:
        raise MessageDamaged("bad arrival time record")
    return arrival
