"""The envelope records of a message, up to the M record; and what they have in common with those of the third segment.

Source: cleanup(8); queue_file_attribute_count_limit, delay_warning_time (postconf(5)).
"""

from __future__ import annotations

import re
import time
from typing import Final

from pyfix.daemons.cleanup.message import Message
from pyfix.daemons.cleanup.quickenvelope import take_beginning, take_run
from pyfix.daemons.cleanup.recipients import (
    add_plain_recipient,
    add_recipient,
    add_sender_copy,
    as_text,
    forget_pending,
    standard_sender,
)
from pyfix.daemons.cleanup.source import RecordSource
from pyfix.formats import status as bits
from pyfix.formats.address import is_standard
from pyfix.formats.number import in_32_bits, leading_number
from pyfix.formats.queuefile import (
    NOTIFY_DELAY,
    NOTIFY_FAILURE,
    NOTIFY_NEVER,
    NOTIFY_SUCCESS,
    REQUIRETLS_ESMTP,
    REQUIRETLS_HEADER,
    RET_FULL,
    RET_HEADERS,
    SMTPUTF8_HEADER,
    SMTPUTF8_RECIPIENT,
    SMTPUTF8_REQUESTED,
    SMTPUTF8_SENDER,
)
from pyfix.formats.records import (
    ATTRIBUTE,
    CANCELED_RECIPIENT,
    CREATE_TIME,
    DONE,
    DSN_ENVELOPE_ID,
    DSN_NOTIFY,
    DSN_ORIGINAL_RECIPIENT,
    DSN_RET,
    END,
    FILTER,
    FLAGS,
    FULL_NAME,
    INSPECTOR,
    KILLED,
    MESSAGE,
    MILTER_COUNT,
    ORIGINAL_RECIPIENT,
    PADDING,
    POINTER,
    RECIPIENT,
    REDIRECT,
    SENDER,
    SIZE,
    TIME,
    VERP,
    WARN,
    decode_record,
    encode_record,
)
from pyfix.protocols.internal.cleanup import DISCARD, HOLD, MILTER, REQUIRE_TLS, SMTPUTF8
from pyfix.runtime.log import log

NO_TYPE: Final = 0
_NO_MILTERS_YET: Final = encode_record(MILTER_COUNT, b"0")
"""What smtpd(8) says first when it has milters: non_smtpd_milters are not for its mail."""
_PLAIN: Final = frozenset((FULL_NAME, INSPECTOR, FILTER, REDIRECT, KILLED, NO_TYPE))
"""Records that are copied as they are."""
RECIPIENT_CLASS: Final = frozenset(
    (DONE, RECIPIENT, ORIGINAL_RECIPIENT, CANCELED_RECIPIENT, KILLED, DSN_ORIGINAL_RECIPIENT, DSN_NOTIFY, NO_TYPE)
)
"""The first of these ends what comes before the recipients.  A record of type 0 counts among them."""
TRACES: Final = frozenset((PADDING, POINTER))
"""Records that make room for milters."""
_EXTRA_FLAGS: Final = HOLD | DISCARD
_NOT_OF_CLIENTS: Final = SMTPUTF8_HEADER | SMTPUTF8_SENDER | SMTPUTF8_RECIPIENT | REQUIRETLS_HEADER
_ALL_NOTIFY: Final = NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY

ATTRIBUTE_KINDS: Final = {
    b"create_time": CREATE_TIME,
    b"dsn_orig_rcpt": DSN_ORIGINAL_RECIPIENT,
    b"envelope_id": DSN_ENVELOPE_ID,
    b"notify_flags": DSN_NOTIFY,
    b"ret_flags": DSN_RET,
}
"""Named attributes that have a record type of their own, in older files."""

_BEFORE_OPTIONS: Final = re.compile(rb"\s*(?:[^\s\0]+\s+){5}")
_SECONDS: Final = re.compile(rb"\s*[+-]?\d+(?=\s)")
_PRINTABLE: Final = re.compile(rb"[ -~]+")
_DIGITS: Final = re.compile(rb"\d+")
_match_orcpt: Final = re.compile(rb"dsn_orig_rcpt=([!-~]+)\Z").match


def split_attribute(message: Message, data: bytes) -> tuple[bytes, bytes] | None:
    """Split ``name=value``; None for an attribute without a value, and for one that ends the work on the message."""
    if b"\0" in data:
        data = data[: data.index(b"\0")]
    before, equals, value = data.partition(b"=")
    name = before.strip()
    if not equals or len(before.split()) != 1:
        fault = "missing '=' after attribute name" if name else "missing attribute name"
        message.refuse(f"malformed attribute: {fault}: {as_text(data):.100}")
        return None
    value = value.strip()
    if not value:
        log.warning(f'{message.queue_id}: spurious null attribute value for "{as_text(name)}" -- ignored')
        return None
    return name, value


async def read_envelope(message: Message, source: RecordSource) -> None:
    """Take records up to the M record, or until the message is refused.

    Raises EndOfInput, RecordError, ServiceError, StreamTimeout, StreamClosed.
    """
    reader = _Envelope(message)
    attributes, append, limit = message.attributes, message.out.append, message.setup.attribute_limit
    plain = message.setup.plain_attributes
    if message.flags & MILTER and source.data.startswith(_NO_MILTERS_YET, source.position):
        from pyfix.daemons.cleanup.milters import begin_passed

        begin_passed(message)
        source.position += len(_NO_MILTERS_YET)
    milters = message.milters
    source.position += take_beginning(message, source.data[source.position :])
    while True:
        data, position = source.data, source.position
        end = len(data)
        last = end - 1
        while position < last:
            kind = data[position]
            if kind == ATTRIBUTE and not reader.recipients and not data.startswith(b"dsn_orig_rcpt=", position + 2):
                # Most records of most messages are these, which need nothing but to be kept.
                after = take_run(plain, attributes, limit, data, position)
                if after > position:
                    append(data[position:after])
                    position = after
                    continue
            length = data[position + 1]
            if length < 0x80:
                begin = position + 2
                after = begin + length
                if after > end:
                    break
            else:
                found = decode_record(data, position, end)
                if found is None:
                    break
                kind, begin, after = found
            payload = data[begin:after]
            source.position = position = after
            if kind == ATTRIBUTE:
                # What smtpd(8) says of each recipient.
                orcpt = _match_orcpt(payload)
                if orcpt is not None and message.pending_orcpt is None:
                    message.pending_orcpt = orcpt[1].decode("ascii")
                    continue
                reader.attribute(payload)
            elif kind == RECIPIENT:
                if reader.before_recipients() and not add_plain_recipient(message, payload):
                    await add_recipient(message, payload)
                if milters is not None:
                    await milters.recipients()
            elif kind == SENDER:
                if not reader.plain_sender(payload):
                    await reader.sender(payload)
                if milters is not None and message.going:
                    await milters.sender()
            elif kind == MESSAGE:
                if reader.before_recipients():
                    if message.room is not None:
                        message.room.recipients_place, message.room.recipients_after = message.put_pointer()
                    append(b"M\0")
                    message.data_offset = message.flush()
                    if message.room is not None:
                        message.room.data_offset = message.data_offset
                    return
            elif kind == MILTER_COUNT:
                from pyfix.daemons.cleanup.milters import take_passed

                await take_passed(message, source, payload)
                milters = message.milters
                data, position = source.data, source.position
                end = len(data)
                last = end - 1
            else:
                source.ended = kind == END
                reader.other(kind, payload)
            if (message.errors or message.flags & DISCARD) and not message.going:
                return
        source.position = position
        await source.more()


class _Envelope:
    """Takes the records of the envelope, one after the other."""

    __slots__ = ("_message", "recipients")

    def __init__(self, message: Message) -> None:
        self._message = message
        self.recipients = False

    def before_recipients(self) -> bool:
        """Check what must have come before the first recipient; tell whether all is well."""
        if self.recipients:
            return True
        message = self._message
        if message.sender is None:
            message.refuse("missing sender envelope record")
            return False
        if not message.has_time:
            message.refuse("missing time envelope record")
            return False
        self.recipients = True
        delay = message.setup.delay_warning
        if delay > 0 and message.sender and not message.warned:
            message.put(WARN, b"%15d" % (message.arrival + delay))
        return True

    def plain_sender(self, data: bytes) -> bool:
        """Take the sender, if nothing has to be asked or looked up for that; tell whether it was taken."""
        message = self._message
        setup = message.setup
        address = data.decode("utf-8", "surrogateescape")
        if message.sender is not None or setup.mapping is not None or setup.bcc is not None:
            return False
        if not is_standard(address):
            return False
        message.sender = address
        message.put_sender(data)
        return True

    async def sender(self, data: bytes) -> None:
        """Take the sender."""
        message = self._message
        if message.sender is not None:
            message.refuse("multiple envelope sender records")
            return
        message.sender = await standard_sender(message, data)
        message.put_sender(message.sender.encode("utf-8", "surrogateescape"))
        await add_sender_copy(message)

    def attribute(self, data: bytes) -> None:
        """Take a named attribute."""
        message = self._message
        pair = split_attribute(message, data)
        if pair is None:
            return
        name, value = pair
        kind = ATTRIBUTE_KINDS.get(name)
        if kind is not None:
            self._dsn(kind, ATTRIBUTE, data, value)
            return
        if self.recipients:
            message.mixed = True
        if len(message.attributes) >= message.setup.attribute_limit - 1 and name not in message.attributes:
            message.refuse(f"attribute count exceeds limit {message.setup.attribute_limit}")
            return
        if name == b"rewrite_context":
            if not self._rewrite_context(value):
                return
        elif name == b"encoding":
            message.encoding = value
        elif name == b"trace_flags" and _DIGITS.fullmatch(value) is None:
            message.refuse(f"bad TFLAG record <{as_text(data):.200}>")
            return
        message.attributes[name] = value
        message.out.append(encode_record(ATTRIBUTE, data))

    def _rewrite_context(self, value: bytes) -> bool:
        message = self._message
        if value == b"local":
            message.rewrite = "local"
        elif value == b"remote":
            message.rewrite = "remote" if message.setup.remote_domain else None
        else:
            message.refuse(f"bad rewriting context: {as_text(value):.100}")
            return False
        return True

    def _dsn(self, kind: int, record: int, data: bytes, value: bytes) -> None:
        """Take what an attribute or an old record says about notifications; *record* is the type that it came with."""
        message = self._message
        if kind in (DSN_NOTIFY, DSN_ORIGINAL_RECIPIENT):
            note_dsn(message, kind, value, f"DSN notify record <{as_text(data):.200}>")
            return
        if self.recipients:
            message.mixed = True
        if kind == CREATE_TIME:
            return
        if kind == DSN_ENVELOPE_ID:
            if _PRINTABLE.fullmatch(value) is None:
                message.refuse("bad DSN envelope ID record")
                return
            message.envelope_id = value
        else:
            ret = digits_in_32_bits(value)
            if ret not in (RET_FULL, RET_HEADERS):
                message.refuse(f"bad DSN RET record <{as_text(data):.200}>")
                return
            message.ret_flags = ret
        message.out.append(encode_record(record, data))

    def other(self, kind: int, data: bytes) -> None:
        """Take a record that is neither an attribute nor sender or recipient."""
        message = self._message
        if kind == FLAGS:
            extra_flags(message, data)
            return
        if kind in TRACES:
            refuse_trace(message, kind)
            return
        if kind in RECIPIENT_CLASS:
            if not self.before_recipients():
                return
            if kind == ORIGINAL_RECIPIENT:
                note_original(message, data)
                return
            if kind in (DONE, CANCELED_RECIPIENT):
                forget_pending(message)
                return
            if kind in (DSN_NOTIFY, DSN_ORIGINAL_RECIPIENT):
                note_dsn(message, kind, data, f"DSN notify record <{as_text(data):.200}>")
                return
            message.mixed = True
        elif self.recipients:
            message.mixed = True
        if kind in _PLAIN:
            if kind == FULL_NAME:
                message.full_name = data
            message.out.append(encode_record(kind, data))
        elif kind == SIZE:
            _size(message, data)
        elif kind == TIME:
            self._time(data)
        elif kind == WARN:
            message.warned = True
            message.out.append(encode_record(kind, data))
        elif kind == VERP:
            self._verp(data)
        elif kind in (DSN_ENVELOPE_ID, DSN_RET):
            self._dsn(kind, kind, data, data)
        elif kind != CREATE_TIME:
            message.refuse(f"unexpected record type {kind} in envelope")

    def _time(self, data: bytes) -> None:
        message = self._message
        if not message.has_time:
            seconds = leading_number(data) or 0
            message.has_time = seconds != 0
            message.arrival = seconds
            first = _SECONDS.match(data)
            microseconds = leading_number(data[first.end() :]) if first is not None else None
            message.arrival_time = seconds + (microseconds or 0) / 1_000_000
            message.out.append(encode_record(TIME, data))
        message.out.append(encode_record(ATTRIBUTE, b"create_time=%d" % time.time()))

    def _verp(self, data: bytes) -> None:
        message = self._message
        if not message.sender:
            log.warning(f"{message.queue_id}: ignoring VERP request for null sender")
        elif not is_verp(data, message.setup.settings.verp_delimiter_filter):
            log.warning(f'{message.queue_id}: ignoring bad VERP request: "{as_text(data):.100}"')
        else:
            message.out.append(encode_record(VERP, data))


def digits_in_32_bits(value: bytes) -> int:
    """Return the value of decimal digits, kept in 32 bits; 0 for any other text."""
    digits = value.partition(b"\0")[0]
    return in_32_bits(leading_number(digits) or 0) if _DIGITS.fullmatch(digits) else 0


def refuse_trace(message: Message, kind: int) -> None:
    """Refuse a message with a record that only cleanup itself may write, for milters to edit the file."""
    log.warning(f"{message.queue_id}: record type {kind} not allowed - discarding this message")
    message.errors |= bits.BAD


def is_verp(data: bytes, allowed: str) -> bool:
    """Tell whether *data* are two delimiters of postconf(5) verp_delimiter_filter."""
    return len(data) == 2 and all(byte in allowed.encode() for byte in data)


def note_original(message: Message, data: bytes) -> None:
    """Take the original recipient of the recipient that follows."""
    if message.pending_original is not None:
        log.warning(
            f"{message.queue_id}: ignoring out-of-order original recipient record <{message.pending_original:.200}>"
        )
    message.pending_original = as_text(data)


def note_dsn(message: Message, kind: int, value: bytes, complaint: str) -> None:
    """Take NOTIFY or ORCPT of the recipient that follows; *complaint* is what to log of an impossible NOTIFY.

    Source: RFC 3461 sections 4.1 and 4.2.
    """
    if kind == DSN_ORIGINAL_RECIPIENT:
        if message.pending_orcpt is not None:
            old = message.pending_orcpt
            log.warning(f"{message.queue_id}: ignoring out-of-order DSN original recipient record <{old:.200}>")
        message.pending_orcpt = as_text(value)
        return
    if message.pending_notify:
        log.warning(f"{message.queue_id}: ignoring out-of-order DSN notify record <{message.pending_notify}>")
    notify = digits_in_32_bits(value)
    if notify != NOTIFY_NEVER and (notify & ~_ALL_NOTIFY or not notify):
        log.warning(f"{message.queue_id}: ignoring malformed {complaint}")
        return
    message.pending_notify = notify
    message.notify_mask |= notify


def extra_flags(message: Message, data: bytes) -> None:
    """Take flags that an access table asked for."""
    flags = in_32_bits(leading_number(data) or 0)
    if flags & ~_EXTRA_FLAGS:
        log.warning(f"{message.queue_id}: ignoring bad extra flags: 0x{flags & 0xFFFFFFFF:x}")
        return
    message.flags |= flags


def _size(message: Message, data: bytes) -> None:
    """Take what sendmail -O asks for."""
    before = _BEFORE_OPTIONS.match(data)
    found = leading_number(data[before.end() :]) if before is not None else None
    if found is None:
        return
    options = in_32_bits(found) & ~_NOT_OF_CLIENTS
    message.options |= options & ~(SMTPUTF8_REQUESTED | REQUIRETLS_ESMTP)
    if options & SMTPUTF8_REQUESTED:
        message.flags |= SMTPUTF8
    if options & REQUIRETLS_ESMTP:
        message.flags |= REQUIRE_TLS
