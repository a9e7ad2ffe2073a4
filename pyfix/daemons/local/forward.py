"""Mail that local(8) passes on: one new message for the addresses of an alias that are not users of this system."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pyfix.clients.cleanup import NewMessage
from pyfix.config.parameters.local import LocalSettings
from pyfix.delivery.outcome import Outcome
from pyfix.delivery.output import damaged
from pyfix.delivery.report import Delivery
from pyfix.formats.maildate import mail_date
from pyfix.formats.records import (
    END,
    EXTRACTED,
    MESSAGE,
    ORIGINAL_RECIPIENT,
    RECIPIENT,
    SENDER,
    TIME,
    UNTERMINATED,
    encode_attribute,
    encode_lines,
    encode_record,
)
from pyfix.protocols.internal.cleanup import MAP_OK, SMTPUTF8
from pyfix.protocols.internal.delivery import Recipient
from pyfix.queue.message import ContentDamaged
from pyfix.runtime.ipc import ServiceError

_LONGEST_LINE = 2048
_MANY_RECORDS = 1000


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


async def forward(
    settings: LocalSettings,
    delivery: Delivery,
    *,
    sender: str,
    delivered_to: str,
    recipients: Sequence[Recipient],
) -> str | Outcome:
    """Send the message on to *recipients* and return the new queue id, when it is safe in the queue.

    Of a message that is damaged nothing is sent; the outcome is returned.

    *delivered_to* is the address that was expanded, empty for no Delivered-To: header.  What each recipient was
    addressed by and who wants to know of the delivery goes on with it (RFC 3461 section 5.2.7).  Raises ServiceError,
    OSError.
    """
    request = delivery.request
    flags = MAP_OK | (SMTPUTF8 if request.sendopts & 1 else 0)
    message = await NewMessage.open(settings.cleanup_service_name, flags, settings.ipc_timeout)
    try:
        now = time.time()
        head = [
            encode_record(TIME, b"%d %d" % (int(delivery.arrival_time), int(delivery.arrival_time % 1 * 1e6))),
            encode_attribute("rewrite_context", request.rewrite_context),
            encode_record(SENDER, _bytes(sender)),
        ]
        if request.envelope_id:
            head.append(encode_attribute("envelope_id", request.envelope_id))
        if request.ret_flags:
            head.append(encode_attribute("ret_flags", str(request.ret_flags)))
        if request.encoding:
            head.append(encode_attribute("encoding", request.encoding))
        for name, value in (
            ("log_client_name", request.client_name),
            ("log_client_address", request.client_address),
            ("log_client_port", request.client_port),
            ("log_helo_name", request.helo_name),
            ("log_protocol_name", request.protocol_name),
        ):
            if value:
                head.append(encode_attribute(name, value))
        for recipient in recipients:
            if recipient.original_recipient:
                head.append(encode_record(ORIGINAL_RECIPIENT, _bytes(recipient.original_recipient)))
            if recipient.dsn_orig_rcpt:
                head.append(encode_attribute("dsn_orig_rcpt", recipient.dsn_orig_rcpt))
            if recipient.notify_flags:
                head.append(encode_attribute("notify_flags", str(recipient.notify_flags)))
            head.append(encode_record(RECIPIENT, _bytes(recipient.recipient)))
            if len(head) > _MANY_RECORDS:
                message.write(b"".join(head))
                head.clear()
                await message.relieve()
        lines = [
            f"Received: by {settings.myhostname} ({settings.mail_name})",
            f"\tid {message.queue_id}; {mail_date(int(now))}",
        ]
        if delivered_to:
            lines.append(f"Delivered-To: {delivered_to}")
        message.write(b"".join(head) + encode_record(MESSAGE) + encode_lines(map(_bytes, lines)))
        for block in delivery.message.content_blocks(request.offset):
            parts = block.split(b"\n")
            last = parts.pop()
            message.write(encode_lines(parts, _LONGEST_LINE))
            if last:
                message.write(encode_record(UNTERMINATED, last))
            await message.relieve()
        message.write(encode_record(EXTRACTED) + encode_record(END))
    except ContentDamaged as damage:
        message.cancel()
        return damaged(delivery.message, damage, message.queue_id)
    except BaseException:
        message.cancel()
        raise
    status = await message.finish()
    if status.status:
        raise ServiceError(f"cleanup status {status.status} {status.reason}".rstrip())
    return message.queue_id
