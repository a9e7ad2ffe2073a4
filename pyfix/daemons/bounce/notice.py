"""Writing and sending one notice: who gets it, what it says, what it returns.

Source: bounce(8); RFC 3461 section 6; RFC 5321 section 4.5.5 (notices have the null sender).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pyfix.clients.cleanup import NewMessage
from pyfix.clients.internalmail import filter_flags, option_flags, send_internal
from pyfix.config.parameters.bounce import BounceSettings
from pyfix.daemons.bounce.texts import Texts
from pyfix.formats.address import internal_to_external
from pyfix.formats.queuefile import NOTIFY_NEVER, REQUIRETLS_ESMTP, REQUIRETLS_HEADER, RET_HEADERS, SMTPUTF8_REQUESTED
from pyfix.formats.records import encode_attribute
from pyfix.notices.report import Encoding, Original, Report, returned_header, returned_message
from pyfix.notices.template import NoticeTemplate
from pyfix.protocols.internal.bounce import Flush
from pyfix.protocols.internal.cleanup import MAP_OK
from pyfix.queue.bouncelog import LogEntry, StatusLog
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message, MessageDamaged
from pyfix.queue.spool import Spool
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log

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
DELAY: Final = Kind("delay", "delay", "Undelivered Message", headers_only=True)
SUCCESS: Final = Kind("success", "delivery status", "Message", headers_only=True)
VERIFY: Final = Kind("verify", "delivery status", "Message", headers_only=True)
_SERVICES: Final = {"delay": "defer", "delivery status": "trace"}
"""Who sends them, when it is not bounce."""


class Notifier:
    """Sends notices; one for the whole daemon.  Its methods that send raise TemplateError."""

    def __init__(self, settings: BounceSettings, templates: dict[str, NoticeTemplate], spool: Spool) -> None:
        self._settings = settings
        self._templates = templates
        self._spool = spool
        self._texts = Texts(settings)

    async def to_sender(
        self, kind: Kind, request: Flush, known: StatusLog, entries: Sequence[LogEntry], recipient: str = ""
    ) -> bool:
        """Tell the sender, or the VERP address *recipient*, of *entries*, those of *known* that it wants to hear of.

        Where there is no log, the notice of a failure says so.  Tells whether that is done or cannot be.
        """
        settings = self._settings
        if not entries and (known.exists or kind is not FAILURE):
            return await self._withdrawn(kind, request, known)
        return await self._send(
            kind,
            request,
            entries,
            known.faults,
            sender="",
            recipient=recipient or request.sender,
            postmaster=False,
            headers_only=kind.headers_only
            or request.ret_flags == RET_HEADERS
            or (request.sendopts & REQUIRETLS_ESMTP != 0 and settings.requiretls_redact_dsn),
        )

    async def _withdrawn(self, kind: Kind, request: Flush, known: StatusLog, whom: str = "sender") -> bool:
        """Begin a notice and take it back: what Postfix does, and logs, when nobody wants to hear of any recipient."""
        settings = self._settings
        try:
            message = await NewMessage.open(settings.cleanup_service_name, MAP_OK, settings.ipc_timeout)
        except ServiceError as error:
            log.debug(f"{request.queue_id}: {error}")
            return True
        log.info(f"{request.queue_id}: {whom} {kind.name} notification: {message.queue_id}")
        _warn_of(known.faults)
        message.cancel()
        return True

    async def to_postmaster(self, kind: Kind, request: Flush, known: StatusLog, recipient: str) -> bool:
        """Send a copy to a postmaster's address, of the header only unless there is no sender to have the message.

        Tells whether that is done.
        """
        entries = known.entries
        if not entries and (known.exists or kind is DELAY):
            return await self._withdrawn(kind, request, known, "postmaster")
        return await self._send(
            kind,
            request,
            entries,
            known.faults,
            sender=self.double_bounce_address(),
            recipient=recipient,
            postmaster=True,
            headers_only=bool(request.sender),
        )

    async def instead_of_sender(self, kind: Kind, request: Flush, known: StatusLog, recipient: str) -> bool:
        """Tell somebody else what a null sender would be told; tell whether that is done."""
        if not known.entries:
            return await self._withdrawn(kind, request, known)
        return await self._send(
            kind,
            request,
            known.entries,
            known.faults,
            sender=self.double_bounce_address(),
            recipient=recipient,
            postmaster=False,
            headers_only=kind.headers_only,
        )

    def double_bounce_address(self) -> str:
        """Return the sender of copies for postmaster, about which there are no notices."""
        return f"{self._settings.double_bounce_sender}@{self._settings.myhostname}"

    async def _send(
        self,
        kind: Kind,
        request: Flush,
        entries: Sequence[LogEntry],
        faults: Sequence[str],
        *,
        sender: str,
        recipient: str,
        postmaster: bool,
        headers_only: bool,
    ) -> bool:
        settings = self._settings
        whom = "postmaster" if postmaster else "sender"
        try:
            message: Message | None = Message(self._spool.path(request.queue_name, request.queue_id), lock=None)
        except PermissionError as error:
            # An agent has marked it as damaged.
            log.fatal(f"open {_SERVICES.get(kind.name, 'bounce')} {request.queue_id}: {error.strerror}")
            return False
        except OSError:
            message = None
        try:
            report, references = self._report(kind, request, entries, message)
            too_large = message is not None and 0 < settings.bounce_size_limit < _segment(message)
            lines = self._lines(
                report,
                references,
                kind,
                request,
                message,
                recipient,
                faults,
                postmaster=postmaster,
                headers_only=headers_only or too_large,
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
                more_flags=option_flags(
                    request.sendopts & ~REQUIRETLS_ESMTP if settings.requiretls_redact_dsn else request.sendopts
                )
                | filter_flags(settings.internal_mail_filter_classes, "notify" if postmaster else "bounce"),
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
        arrival, references, sender = time.time(), "", None
        if message is not None:
            envelope = Envelope(message)
            with suppress(MessageDamaged):  # what can be read is returned
                envelope.read()
            arrival = envelope.arrival_time or arrival
            sender = envelope.sender or f"MAILER-DAEMON@{settings.myhostname}"
            if settings.enable_threaded_bounces:
                references = envelope.attributes.get("message_id", "")
        original = Original(
            request.queue_id,
            sender,
            request.envelope_id,
            int(arrival),
            utf8=request.sendopts & SMTPUTF8_REQUESTED != 0,
        )
        encoding: Encoding = "8bit"
        if not settings.smtputf8_enable:
            encoding = "7bit" if request.encoding == "7bit" else "8bit" if request.encoding else ""
        report = Report(
            template,
            settings.myhostname,
            settings.mail_name,
            original,
            entries,
            int(time.time()),
            encoding,
            int(arrival) + settings.maximal_queue_lifetime if kind is DELAY else 0,
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
        faults: Sequence[str],
        *,
        postmaster: bool,
        headers_only: bool,
    ) -> Iterator[bytes]:
        """Yield the lines of a notice; the log is warned of its faults each time that Postfix would read it."""
        quoted = [(entry.recipient, entry.original_recipient) for entry in report.entries]
        yield from _encoded(
            report.head(
                internal_to_external(recipient),
                postmaster=postmaster,
                references=references,
                tls_optional=request.sendopts & (REQUIRETLS_HEADER | REQUIRETLS_ESMTP) == REQUIRETLS_HEADER,
            )
        )
        yield from _encoded(report.explanation([] if postmaster else self._texts.expanded(report.template)))
        _warn_of(faults)
        yield from _encoded(report.recipients_in_words(quoted))
        _warn_of(faults)
        yield from _encoded(report.status(quoted))
        yield from _encoded(report.returned_head(headers_only=headers_only, description=kind.part))
        if message is None:
            yield from _encoded(report.nothing_returned())
            return
        return_path = internal_to_external(report.original.sender or "")
        complete = True
        if headers_only:
            pieces = message.content_pieces(message.sizes.data_offset, _SOME_LINES)
            complete = yield from returned_header(pieces, return_path=return_path)
        else:
            yield from returned_message(_content_lines(message), return_path=return_path)
        yield from _encoded(report.tail(complete=complete))


def _never_notify() -> bytes:
    return encode_attribute("notify_flags", str(NOTIFY_NEVER))


def _warn_of(faults: Iterable[str]) -> None:
    for fault in faults:
        log.warning(fault)


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    for line in lines:
        yield line.encode("utf-8", "surrogateescape")


def _segment(message: Message) -> int:
    try:
        return message.sizes.segment
    except MessageDamaged:
        return 0


def _content_lines(message: Message) -> Iterator[bytes]:
    rest = b""
    try:
        for block in message.content_blocks(message.sizes.data_offset, _SOME_LINES):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
    except MessageDamaged as damage:  # what can be read is returned
        if damage.trouble:
            log.warning(f"{message.path}: {damage.trouble}")
    if rest:
        yield rest
