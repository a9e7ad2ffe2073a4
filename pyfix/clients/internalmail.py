"""Mail that the mail system itself writes: notices and address probes.

Source: bounce(8), verify(8); postconf(5) internal_mail_filter_classes, myhostname.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from pyfix.clients.cleanup import NewMessage
from pyfix.formats.maildate import mail_date
from pyfix.formats.records import (
    END,
    EXTRACTED,
    MESSAGE,
    RECIPIENT,
    SENDER,
    TIME,
    encode_attribute,
    encode_lines,
    encode_record,
)
from pyfix.protocols.internal.cleanup import FILTER, MAP_OK, MILTER, REQUIRE_TLS, SMTPUTF8
from pyfix.runtime.ipc import ServiceError

__all__ = ["filter_flags", "option_flags", "send_internal"]


async def send_internal(
    service_name: str,
    *,
    hostname: str,
    mail_name: str,
    sender: str,
    recipients: Sequence[str],
    lines: Iterable[bytes],
    timeout: float,
    trace_flags: int = 0,
    envelope: bytes = b"",
    more_flags: int = 0,
    opened: Callable[[str], None] | None = None,
) -> str:
    """Give a message to cleanup(8) and return its queue id when it is safe in the queue.

    *lines* are the header lines after Received: and Date:, an empty line, and the body; without any
    of them the message is a bare probe.  *envelope* are records to add before the recipients.
    *opened* hears the queue id before the message is sent.  Raises ServiceError, and what *lines* raise.
    """
    message = await NewMessage.open(service_name, MAP_OK | more_flags, timeout)
    if opened is not None:
        opened(message.queue_id)
    now = time.time()
    date = mail_date(int(now))
    received = [
        f"Received: by {hostname} ({mail_name})",
        f"\tid {message.queue_id}; {date}",
        f"Date: {date}",
    ]
    message.write(
        encode_record(TIME, f"{int(now)} {int(now % 1 * 1000000)}".encode())
        + encode_attribute("log_message_origin", "local")
        + encode_attribute("trace_flags", str(trace_flags))
        + encode_record(SENDER, sender.encode("utf-8", "surrogateescape"))
        + envelope
        + b"".join([encode_record(RECIPIENT, one.encode("utf-8", "surrogateescape")) for one in recipients])
        + encode_record(MESSAGE)
        + encode_lines([line.encode("utf-8", "surrogateescape") for line in received])
    )
    try:
        batch: list[bytes] = []
        for line in lines:
            batch.append(line)
            if len(batch) >= 1000:
                message.write(encode_lines(batch))
                batch = []
                await message.relieve()
        message.write(encode_lines(batch) + encode_record(EXTRACTED) + encode_record(END))
    except BaseException:
        message.cancel()
        raise
    status = await message.finish()
    if status.status:
        raise ServiceError(f"cleanup status {status.status} {status.reason}".rstrip())
    return message.queue_id


def filter_flags(classes: Iterable[str], kind: Literal["bounce", "notify"]) -> int:
    """Return the cleanup flags that let filters see mail of a kind, if *classes* name it.

    Source: postconf(5) internal_mail_filter_classes.
    """
    return FILTER | MILTER if kind in {word.lower() for word in classes} else 0


def option_flags(options: int) -> int:
    """Return the cleanup flags that hand a message's SMTPUTF8 and REQUIRETLS demands on to a notice about it."""
    return (SMTPUTF8 if options & 1 else 0) | (REQUIRE_TLS if options & 32 else 0)
