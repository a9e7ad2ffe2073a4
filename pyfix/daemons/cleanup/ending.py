"""The end of a message: made safe in the queue, dropped, or returned to its sender.

Source: cleanup(8); postconf(5) bounce_service_name, soft_bounce.
"""

from __future__ import annotations

import time
from typing import Final

from pyfix.clients import bounce
from pyfix.daemons.cleanup.message import Delivered, Message
from pyfix.delivery.delays import format_delays
from pyfix.formats import status as bits
from pyfix.formats.address import internal_to_external
from pyfix.formats.attributes import Long
from pyfix.formats.queuefile import MIXED_RECIPIENTS, REQUIRETLS_ESMTP, RET_HEADERS, SMTPUTF8_REQUESTED, Sizes
from pyfix.formats.status import cleanup_detail, split_status
from pyfix.protocols.internal.bounce import CLEAN, FLUSH, Append, Flush
from pyfix.protocols.internal.cleanup import HOLD, REQUIRE_TLS, SMTPUTF8
from pyfix.protocols.internal.delivery import MessageStats
from pyfix.queue.spool import HOLD as HOLD_QUEUE
from pyfix.queue.writer import SizeLimitExceeded
from pyfix.runtime.groupcommit import GroupCommit
from pyfix.runtime.log import log

_NOBODY_YET: Final = Delivered("unknown", "", "", 0, 0)
"""Whom a notice is about when the message was refused before its first recipient."""


def sizes_of(message: Message) -> Sizes:
    """Return what the size record says of a message whose records are all in its file."""
    options = message.options
    if message.flags & SMTPUTF8:
        options |= SMTPUTF8_REQUESTED
    if message.flags & REQUIRE_TLS:
        options |= REQUIRETLS_ESMTP
    length = message.segment_end - message.data_offset
    flags = message.notify_mask << 1 | (MIXED_RECIPIENTS if message.mixed else 0)
    content = length if message.room is None else message.room.content_length or length
    return Sizes(length, message.data_offset, message.recipient_count, flags, content, options)


async def enqueue(message: Message, commit: GroupCommit) -> bool:
    """Complete the queue file and return when it is safe on the disk; tell whether it is in the incoming queue.

    Raises SizeLimitExceeded or OSError; then the file must be removed.
    """
    file = message.file
    message.flush()
    if message.flags & HOLD:
        file.move(HOLD_QUEUE)
    file.complete(sizes_of(message))
    await commit.sync(file.fd)
    file.close()
    return not message.flags & HOLD


async def return_to_sender(message: Message) -> bool:
    """Let bounce(8) return a message that was not accepted; tell whether all is done and the file may go.

    Source: CLEANUP_FLAG_BOUNCE, which pickup(8) asks for: the one who sent the message is not there any more.
    """
    setup = message.setup.settings
    if setup.soft_bounce:
        return False  # nothing is returned for good; the one who brought it keeps it
    try:
        if not message.segment_end:
            message.segment_end = message.flush()
            message.out.append(b"X\0")
        message.out.append(b"E\0")
        message.flush()
    except SizeLimitExceeded:
        message.file.append_regardless(b"X\0E\0")
    message.file.write_sizes(sizes_of(message))
    detail = cleanup_detail(message.errors)
    code, text = split_status(message.reason, detail.code) if message.reason else (detail.code, detail.text)
    now = time.time()
    stats = MessageStats(message.arrival_time, now, 0.0, 0.0, now)
    for entry in message.recipients or (_NOBODY_YET,):
        request = Append(
            flags=CLEAN,
            queue_id=message.queue_id,
            original_recipient=entry.original,
            recipient=entry.recipient,
            offset=Long(entry.offset),
            dsn_orig_rcpt=entry.dsn_original,
            notify_flags=entry.notify,
            status=code,
            diag_type="",
            diag_text="",
            mta_type="",
            mta_name="",
            action="failed",
            reason=text,
        )
        if not await bounce.append(setup.bounce_service_name, request, setup.ipc_timeout):
            log.warning(f"{message.queue_id}: bounce message failure")
            return False
        address, original = entry.recipient, entry.original
        to = f"to=<{internal_to_external(address)}>, "
        if original and original.lower() != address.lower():
            to += f"orig_to=<{internal_to_external(original)}>, "
        delays = format_delays(stats, setup.delay_logging_resolution_limit)
        log.info(f"{message.queue_id}: {to}relay=none, {delays}, dsn={code}, status=bounced ({text})")
    # Content that nobody may see here is not sent back either.
    returned = RET_HEADERS if message.errors & bits.CONTENT else message.ret_flags
    flush = Flush(
        nrequest=FLUSH,
        flags=CLEAN,
        queue_name=message.file.queue,
        queue_id=message.queue_id,
        encoding=_text(message.encoding) or "",
        sendopts=sizes_of(message).options,
        sender=message.sender or "",
        envelope_id=_text(message.envelope_id),
        ret_flags=returned,
    )
    if not await bounce.flush(setup.bounce_service_name, flush, setup.ipc_timeout):
        log.warning(f"{message.queue_id}: bounce message failure")
        return False
    return True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
