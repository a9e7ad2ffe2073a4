"""Writing and sending one notice: who gets it, what it says, what it returns.

Source: bounce(8); RFC 3461 section 6; RFC 5321 section 4.5.5 (notices have the null sender).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyfix.clients.internalmail import option_flags, send_internal
from pyfix.config.parameters.bounce import BounceSettings
from pyfix.formats.address import internal_to_external
from pyfix.formats.queuefile import NOTIFY_NEVER, REQUIRETLS_ESMTP, RET_HEADERS, SMTPUTF8_REQUESTED
from pyfix.formats.records import encode_attribute
from pyfix.notices.report import Original, Report, returned_lines
from pyfix.notices.template import NoticeTemplate
from pyfix.protocols.internal.bounce import Flush
from pyfix.queue.bouncelog import LogEntry
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message, MessageDamaged
from pyfix.queue.spool import Spool
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log

_HOUR: Final = 3600
_DAY: Final = 86400
_SOME_LINES: Final = 65536


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notice: its template and how it is spoken of."""

    template: str
    name: str
    """As in the log: ``sender non-delivery notification``."""
    part: str
    """What the returned part is called."""
    headers_only: bool


FAILURE: Final = Kind("failure", "non-delivery", "Undelivered Message", headers_only=False)
DELAY: Final = Kind("delay", "delay", "Delayed Message", headers_only=True)
SUCCESS: Final = Kind("success", "delivery status", "Message", headers_only=True)
VERIFY: Final = Kind("verify", "delivery status", "Message", headers_only=True)


class Notifier:
    """Sends notices; one for the whole daemon."""

    def __init__(self, settings: BounceSettings, templates: dict[str, NoticeTemplate], spool: Spool) -> None:
        self._settings = settings
        self._templates = templates
        self._spool = spool
        self._special = {
            "delay_warning_time_hours": str(settings.delay_warning_time // _HOUR),
            "maximal_queue_lifetime_days": str(settings.maximal_queue_lifetime // _DAY),
            "delay_warning_time_minutes": str(settings.delay_warning_time // 60),
            "delay_warning_time_seconds": str(settings.delay_warning_time),
            "delay_warning_time_days": str(settings.delay_warning_time // _DAY),
            "maximal_queue_lifetime_hours": str(settings.maximal_queue_lifetime // _HOUR),
            "maximal_queue_lifetime_minutes": str(settings.maximal_queue_lifetime // 60),
            "maximal_queue_lifetime_seconds": str(settings.maximal_queue_lifetime),
        }

    async def to_sender(self, kind: Kind, request: Flush, entries: Sequence[LogEntry], recipient: str = "") -> bool:
        """Tell the sender, or the VERP address *recipient*; tell whether that is done or cannot be."""
        settings = self._settings
        return await self._send(
            kind,
            request,
            entries,
            sender="",
            recipient=recipient or request.sender,
            postmaster=False,
            headers_only=kind.headers_only
            or request.ret_flags & RET_HEADERS != 0
            or (request.sendopts & REQUIRETLS_ESMTP != 0 and settings.requiretls_redact_dsn),
        )

    async def to_postmaster(self, kind: Kind, request: Flush, entries: Sequence[LogEntry], recipient: str) -> bool:
        """Send a copy with headers only to a postmaster's address; tell whether that is done."""
        sender = f"{self._settings.double_bounce_sender}@{self._settings.myorigin}"
        if "@" in self._settings.double_bounce_sender:
            sender = self._settings.double_bounce_sender
        return await self._send(
            kind, request, entries, sender=sender, recipient=recipient, postmaster=True, headers_only=True
        )

    async def _send(
        self,
        kind: Kind,
        request: Flush,
        entries: Sequence[LogEntry],
        *,
        sender: str,
        recipient: str,
        postmaster: bool,
        headers_only: bool,
    ) -> bool:
        settings = self._settings
        whom = "postmaster" if postmaster else "sender"
        try:
            message: Message | None = Message(
                self._spool.path(request.queue_name, request.queue_id), lock=None, read_only=True
            )
        except OSError:
            message = None
        try:
            report, references = self._report(kind, request, entries, message)
            lines = self._lines(
                report, references, kind, request, message, recipient, postmaster=postmaster, headers_only=headers_only
            )
            await send_internal(
                settings.cleanup_service_name,
                hostname=settings.myhostname,
                mail_name=settings.mail_name,
                sender=sender,
                recipients=[recipient],
                lines=lines,
                timeout=settings.ipc_timeout,
                envelope=_never_notify() if postmaster else b"",
                more_flags=option_flags(request.sendopts),
                opened=lambda queue_id: log.info(f"{request.queue_id}: {whom} {kind.name} notification: {queue_id}"),
            )
        except ServiceError as error:
            log.info(f"{request.queue_id}: {whom} notification failed to {recipient}: {error}")
            return False
        except (MessageDamaged, OSError) as error:
            log.warning(f"{request.queue_id}: {error}")
            return False
        finally:
            if message is not None:
                message.close()
        return True

    def _report(
        self, kind: Kind, request: Flush, entries: Sequence[LogEntry], message: Message | None
    ) -> tuple[Report, str]:
        settings = self._settings
        template = self._templates[kind.template]
        arrival, references = time.time(), ""
        if message is not None:
            envelope = Envelope(message)
            envelope.read()
            arrival = envelope.arrival_time or arrival
            if settings.enable_threaded_bounces:
                references = envelope.attributes.get("message_id", "")
        original = Original(
            request.queue_id,
            request.sender,
            request.envelope_id,
            int(arrival),
            utf8=request.sendopts & SMTPUTF8_REQUESTED != 0,
        )
        report = Report(
            template,
            template.expanded(settings.snapshot.expand, self._special),
            settings.myhostname,
            settings.mail_name,
            original,
            entries,
            int(time.time()),
            "7bit" if request.encoding == "7bit" else "8bit",
        )
        return report, references

    def _lines(
        self,
        report: Report,
        references: str,
        kind: Kind,
        request: Flush,
        message: Message | None,
        recipient: str,
        *,
        postmaster: bool,
        headers_only: bool,
    ) -> Iterator[bytes]:
        quoted = [(entry.recipient, entry.original_recipient) for entry in report.entries]
        yield from _encoded(
            report.head(internal_to_external(recipient), postmaster=postmaster, references=references)
        )
        yield from _encoded(report.explanation())
        yield from _encoded(report.recipients_in_words(quoted))
        yield from _encoded(report.status(quoted))
        if message is not None:
            encoding = request.encoding or "8bit"
            yield from _encoded(
                report.returned_head(headers_only=headers_only, description=kind.part, encoding=encoding)
            )
            yield from returned_lines(
                _content_lines(message),
                return_path=internal_to_external(request.sender),
                headers_only=headers_only,
                most_bytes=self._settings.bounce_size_limit,
            )
        yield from _encoded(report.tail())


def _never_notify() -> bytes:
    return encode_attribute("notify_flags", str(NOTIFY_NEVER))


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    for line in lines:
        yield line.encode("utf-8", "surrogateescape")


def _content_lines(message: Message) -> Iterator[bytes]:
    rest = b""
    for block in message.content_blocks(message.sizes.data_offset, _SOME_LINES):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest
