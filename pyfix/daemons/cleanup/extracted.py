"""The records after the content: what the client took from the headers, late recipients, and what cleanup adds."""

from __future__ import annotations

from typing import Final

from pyfix.daemons.cleanup.envelope import (
    ATTRIBUTE_KINDS,
    NO_TYPE,
    RECIPIENT_CLASS,
    TRACES,
    extra_flags,
    note_dsn,
    note_original,
    refuse_trace,
    split_attribute,
)
from pyfix.daemons.cleanup.message import Message
from pyfix.daemons.cleanup.recipients import add_final_copies, add_recipient, as_text, forget_pending
from pyfix.daemons.cleanup.source import RecordSource
from pyfix.formats.records import (
    ATTRIBUTE,
    DSN_NOTIFY,
    DSN_ORIGINAL_RECIPIENT,
    END,
    ERRORS_TO,
    FILTER,
    FLAGS,
    FULL_NAME,
    INSPECTOR,
    KILLED,
    ORIGINAL_RECIPIENT,
    PRIORITY,
    RECIPIENT,
    REDIRECT,
    RETURN_RECEIPT,
    encode_record,
)

_PLAIN: Final = frozenset(
    (PRIORITY, RETURN_RECEIPT, ERRORS_TO, FULL_NAME, INSPECTOR, FILTER, REDIRECT, KILLED, NO_TYPE)
)


async def read_extracted(message: Message, source: RecordSource) -> None:
    """Take records up to the E record, or until the message is refused.

    Raises EndOfInput, RecordError, ServiceError, SizeLimitExceeded, OSError, StreamTimeout, StreamClosed.
    """
    recipients = False
    while True:
        records = source.take((END,))
        for index, (kind, data) in enumerate(records):
            recipient_class = kind in RECIPIENT_CLASS
            if (recipient_class or kind == END) and not recipients:
                recipients = True
                _add(message)
            if kind == RECIPIENT:
                await add_recipient(message, data)
                if message.milters is not None:
                    await message.milters.recipients()
            elif kind == END:
                await add_final_copies(message)
                message.out.append(b"E\0")
                return
            elif kind == ATTRIBUTE:
                _attribute(message, data, recipients)
            elif kind == ORIGINAL_RECIPIENT:
                note_original(message, data)
            elif kind in (DSN_NOTIFY, DSN_ORIGINAL_RECIPIENT):
                note_dsn(message, kind, data, f"dsn notify record <{as_text(data):.200}>")
            elif kind == FLAGS:
                extra_flags(message, data)
            elif kind in _PLAIN:
                if recipients:
                    message.mixed = True
                message.out.append(encode_record(kind, data))
            elif kind in TRACES:
                refuse_trace(message, kind)
            elif recipient_class:
                forget_pending(message)
            else:
                message.refuse(f"unexpected record type {kind} in extracted envelope")
            if not message.going:
                # Where a refused message ends may have been passed already.
                source.ended = source.ended or any(after == NO_TYPE for after, _ in records[index:])
                return
        await source.more()


def _attribute(message: Message, data: bytes, recipients: bool) -> None:
    pair = split_attribute(message, data)
    if pair is None:
        return
    name, value = pair
    kind = ATTRIBUTE_KINDS.get(name)
    if kind in (DSN_NOTIFY, DSN_ORIGINAL_RECIPIENT):
        note_dsn(message, kind, value, f"dsn notify record <{as_text(value):.200}>")
        return
    if recipients:
        message.mixed = True
    message.out.append(encode_record(ATTRIBUTE, data))


def _add(message: Message) -> None:
    """Write what is known only after the content, before the first late recipient."""
    if message.filter:
        message.out.append(encode_record(FILTER, message.filter))
    if message.redirect:
        message.out.append(encode_record(REDIRECT, message.redirect))
    if message.message_id:
        message.out.append(encode_record(ATTRIBUTE, b"message_id=" + message.message_id))
    if message.encoding:
        message.out.append(encode_record(ATTRIBUTE, b"encoding=" + message.encoding))
    if message.room is not None:
        message.room.extracted_place, message.room.extracted_after = message.put_pointer()
