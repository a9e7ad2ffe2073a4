"""Sender and recipients of the envelope: rewritten, mapped, freed of duplicates, and written."""

from __future__ import annotations

from typing import Final

from pyfix.clients import bounce
from pyfix.daemons.cleanup.message import Delivered, Message
from pyfix.formats import status as bits
from pyfix.formats.address import is_standard
from pyfix.formats.attributes import Long
from pyfix.formats.queuefile import NOTIFY_NEVER, NOTIFY_SUCCESS, SMTPUTF8_SENDER
from pyfix.formats.records import ATTRIBUTE, ORIGINAL_RECIPIENT, RECIPIENT, encode_record
from pyfix.protocols.internal.bounce import CLEAN, Append
from pyfix.protocols.internal.cleanup import AUTO_UTF8, BCC_OK, BOUNCE, MAP_OK, SMTPUTF8
from pyfix.rewriting.standard import LOCAL
from pyfix.runtime.log import log

_ONE_BYTE: Final = 0x80
"""A payload of fewer bytes than this has a length of one byte."""


def as_text(data: bytes) -> str:
    """Return an address from a record; what follows a NUL byte is no part of it."""
    if b"\0" in data:
        data = data[: data.index(b"\0")]
    return data.decode("utf-8", "surrogateescape")


def _is_utf8(text: str) -> bool:
    """Tell whether *text* has characters outside of ASCII and is well-formed UTF-8."""
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def forget_pending(message: Message) -> None:
    """Drop what has been said about a recipient that is not one any more."""
    message.pending_notify, message.pending_orcpt, message.pending_original = 0, None, None


async def standard_sender(message: Message, data: bytes) -> str:
    """Return the sender of the envelope in the form in which it is written, and note what its characters need.

    Raises ServiceError.
    """
    setup = message.setup
    address = as_text(data)
    if address:
        found = setup.standard.internal_now(LOCAL, address)
        address = await setup.standard.internal(LOCAL, address) if found is None else found
    if setup.mapping is not None:
        address = await setup.mapping.envelope(message, address, "envelope_sender")
    if setup.smtputf8 and not address.isascii() and _is_utf8(address):
        message.options |= SMTPUTF8_SENDER
        if message.flags & AUTO_UTF8:
            message.flags |= SMTPUTF8
    return address


async def add_sender_copy(message: Message) -> None:
    """Add the recipient that sender_bcc_maps names.  Raises MappingError, ServiceError."""
    bcc = message.setup.bcc
    if bcc is not None and message.sender and message.flags & BCC_OK:
        await _add_copy(message, await bcc.of_sender(message.sender))


def add_plain_recipient(message: Message, data: bytes) -> bool:
    """Do what add_recipient does, if nothing has to be asked or looked up for that; tell whether it was done."""
    setup = message.setup
    address = data.decode("utf-8", "surrogateescape")
    if not setup.plain_recipients or not is_standard(address):
        return False
    message.last_recipient = address
    if message.milters is not None:
        message.milters.note_recipient(address)
    original = address if message.pending_original is None else message.pending_original
    notify, orcpt = message.pending_notify, message.pending_orcpt
    message.pending_notify, message.pending_orcpt, message.pending_original = 0, None, None
    write_recipient(message, address, original, f"rfc822;{address}" if orcpt is None else orcpt, notify)
    return True


async def add_recipient(message: Message, data: bytes) -> None:
    """Add the recipient of one record, with what the records before it said about it.

    Raises MappingError, ServiceError.
    """
    setup = message.setup
    given = as_text(data)
    original = given if message.pending_original is None else message.pending_original
    notify, orcpt = message.pending_notify, message.pending_orcpt
    forget_pending(message)
    address = given or setup.empty_recipient
    found = setup.standard.internal_now(LOCAL, address)
    address = await setup.standard.internal(LOCAL, address) if found is None else found
    if setup.mapping is not None:
        address = await setup.mapping.envelope(message, address, "envelope_recipient")
    if not address.isascii() and setup.smtputf8 and message.flags & AUTO_UTF8 and _is_utf8(address):
        message.flags |= SMTPUTF8
    if orcpt is None:
        kind = "utf-8" if message.flags & SMTPUTF8 and not address.isascii() else "rfc822"
        orcpt = f"{kind};{address}" if address else ""
    message.last_recipient = address
    if message.milters is not None:
        message.milters.note_recipient(address)
    await _expand(message, address, original, orcpt, notify)
    if setup.bcc is not None and message.flags & BCC_OK:
        await _add_copy(message, await setup.bcc.of_recipient(address))


async def add_final_copies(message: Message) -> None:
    """Add the recipients of always_bcc and of header_checks, at the end.  Raises MappingError, ServiceError."""
    if message.last_recipient is None:
        return
    bcc = message.setup.bcc
    if bcc is not None and bcc.always and message.flags & BCC_OK:
        await _add_copy(message, bcc.always)
    for copy in message.copies:
        await _add_copy(message, copy)


async def _add_copy(message: Message, copy: str | None) -> None:
    if not copy:
        return
    setup = message.setup
    address = await setup.standard.internal(LOCAL, copy)
    if setup.mapping is not None:
        address = await setup.mapping.envelope(message, address, "envelope_recipient")
    if message.milters is not None:
        message.milters.note_recipient(address)
    await _expand(message, address, address, "", NOTIFY_NEVER)


async def add_milter_recipient(message: Message, address: str, orcpt: str, notify: int) -> None:
    """Add a recipient (internal form) that a milter asks for.  Raises MappingError, ServiceError."""
    setup = message.setup
    found = setup.standard.internal_now(LOCAL, address)
    address = await setup.standard.internal(LOCAL, address) if found is None else found
    if setup.mapping is not None:
        address = await setup.mapping.envelope(message, address, "envelope_recipient")
    await _expand(message, address, address, orcpt, notify)


async def _expand(message: Message, address: str, original: str, orcpt: str, notify: int) -> None:
    """Write the recipients that an address stands for."""
    aliases = message.setup.aliases
    maps = message.flags & MAP_OK
    senders = message.setup.rewritten_senders
    if maps and senders is not None:
        address = senders.unpack_all(address, lambda why: log.warning(f"{message.queue_id}: {why}"))
    if aliases is None or not maps:
        write_recipient(message, address, original, orcpt, notify)
        return
    results = await aliases.expand(address)
    if notify & NOTIFY_SUCCESS and results != [address]:
        await _report_expanded(message, address, original, orcpt, notify)
        # Success has been reported; the members of the list do not report it again.
        notify = notify & ~NOTIFY_SUCCESS or NOTIFY_NEVER
    for result in results:
        write_recipient(message, result, original, orcpt, notify)


async def _report_expanded(message: Message, address: str, original: str, orcpt: str, notify: int) -> None:
    """Note for the sender, who wants to know of success, that an address became several.  Source: RFC 3461 5.2.7.3."""
    settings = message.setup.settings
    entry = Append(
        flags=CLEAN,
        queue_id=message.queue_id,
        original_recipient=original,
        recipient=address,
        offset=Long(0),
        dsn_orig_rcpt=orcpt,
        notify_flags=notify,
        status="2.0.0",
        diag_type="",
        diag_text="",
        mta_type="",
        mta_name="",
        action="expanded",
        reason="alias expanded",
    )
    if not await bounce.append(settings.trace_service_name, entry, settings.ipc_timeout):
        log.warning(f"{message.queue_id}: trace logfile update error")
        message.errors |= bits.WRITE


def write_recipient(message: Message, address: str, original: str, orcpt: str, notify: int) -> None:
    """Write one recipient, unless the same has been written before."""
    setup = message.setup
    if not setup.original_recipients:
        key: tuple[str, ...] = (address.lower(),)
    elif original == address:
        key = (address.lower(), orcpt.lower(), str(notify))
    else:
        key = (address.lower(), orcpt.lower(), str(notify), original.lower())
    seen = message.seen_recipients
    if key in seen:
        return
    if not setup.duplicate_limit or len(seen) < setup.duplicate_limit:
        seen.add(key)
    message.recipient_count += 1
    out = message.out
    raw = address.encode("utf-8", "surrogateescape")
    if orcpt and not notify and original == address and not message.flags & BOUNCE and len(raw) < _ONE_BYTE:
        dsn = b"dsn_orig_rcpt=" + orcpt.encode("utf-8", "surrogateescape")
        if len(dsn) < _ONE_BYTE:
            # Most recipients of most messages, in one step.
            out.append(b"A%c%bO%c%bR%c%b" % (len(dsn), dsn, len(raw), raw, len(raw), raw))
            return
    if notify:
        out.append(encode_record(ATTRIBUTE, b"notify_flags=%d" % notify))
    if orcpt:
        out.append(encode_record(ATTRIBUTE, b"dsn_orig_rcpt=" + orcpt.encode("utf-8", "surrogateescape")))
    origin = raw if original == address else original.encode("utf-8", "surrogateescape")
    out.append(encode_record(ORIGINAL_RECIPIENT, origin))
    if message.flags & BOUNCE:
        message.recipients.append(Delivered(address, original, orcpt, notify, message.flush()))
    out.append(encode_record(RECIPIENT, raw))
