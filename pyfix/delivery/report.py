"""The one place where a delivery's outcome is logged, told to bounce(8) or defer(8), and marked in the queue file."""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

from pyfix.clients import bounce
from pyfix.clients.flush import FlushClient
from pyfix.config.compatibility import flushes_by_old_default, old_default_text
from pyfix.config.parameters.mail import MailSettings
from pyfix.delivery.delays import format_delays, format_times
from pyfix.delivery.outcome import BOUNCED, DAMAGED, DEFERRED, SENT, Deferred, Outcome, changed, fitting, misfit
from pyfix.delivery.statusfilter import filtered
from pyfix.formats.address import internal_to_external
from pyfix.formats.queuefile import NOTIFY_SUCCESS
from pyfix.protocols.internal import verify
from pyfix.protocols.internal.bounce import ONE, Append, One
from pyfix.protocols.internal.delivery import (
    ANY_VERIFY,
    MTA_VERIFY,
    RECORD,
    RECORD_DELAY_SENT,
    SUCCESS,
    USER_VERIFY,
    DeliveryRequest,
    MessageStats,
    Recipient,
)
from pyfix.queue.message import Message
from pyfix.runtime import ipc
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tables.maps import Maps
from pyfix.tables.matchlist import MatchList
from pyfix.tables.table import TableError

_TRACE_FLAGS: Final = ANY_VERIFY | RECORD | RECORD_DELAY_SENT
_RECIPIENT_STATUS: Final = {
    SENT: verify.RECIPIENT_OK, DEFERRED: verify.RECIPIENT_DEFERRED, BOUNCED: verify.RECIPIENT_BOUNCED,
}  # fmt: skip


class Delivery:
    """One request in work: what qmgr(8) asks, the open queue file, and the times."""

    __slots__ = ("active_time", "arrival_time", "handoff_time", "message", "recipients", "request")

    def __init__(
        self, request: DeliveryRequest, recipients: list[Recipient], message: Message, stats: MessageStats
    ) -> None:
        self.request = request
        self.recipients = recipients
        self.message = message
        self.arrival_time = stats.incoming_arrival
        self.active_time = stats.active_arrival
        self.handoff_time = time.time()

    def content(self) -> bytes:
        """Return the message's whole content.  Raises MessageDamaged, OSError."""
        return self.message.content(self.request.offset)


class _Result(NamedTuple):
    """All that is to be reported of one recipient."""

    delivery: Delivery
    recipient: Recipient
    outcome: Outcome
    relay: str
    stats: MessageStats
    tls: str
    returned_to: str | None = None
    """Who is told of a failure, at once, in the place of the sender."""


class Reporter:
    """Reports outcomes for one delivery agent."""

    def __init__(self, services: MailSettings, status_filter: Maps | None = None) -> None:
        """*services* say who hears of outcomes; *status_filter*: tables that may change them."""
        self._filter = status_filter or None
        self._services = services
        self._timeout = services.ipc_timeout
        self._resolution = services.delay_logging_resolution_limit
        self._soft_bounce = services.soft_bounce
        self._flush = FlushClient(services.flush_service_name, self._timeout)
        self._flushed = MatchList("fast_flush_domains", services.fast_flush_domains, services.snapshot)
        self._flushes_by_old_default = flushes_by_old_default(services.snapshot)

    def report_now(
        self,
        delivery: Delivery,
        recipient: Recipient,
        outcome: Outcome,
        relay: str,
        connected: float = 0.0,
        tls: str = "",
    ) -> bool:
        """Log and mark a recipient for whom the message was sent, if nobody else must know.

        Returns whether that was so, and the recipient is finished; if not, nothing was done, and report must be asked.
        """
        kind, code, text = outcome[:3]
        flags = delivery.request.flags
        if self._filter is not None:
            return False
        if kind != SENT or code[0] != "2" or flags & _TRACE_FLAGS or recipient.notify_flags & NOTIFY_SUCCESS:
            return False
        delays = format_times(
            delivery.arrival_time, delivery.active_time, delivery.handoff_time, connected, time.time(), self._resolution
        )
        to = _to(recipient)
        log.info(f"{delivery.request.queue_id}: {to}relay={relay}, {delays}, {tls}dsn={code}, status=sent ({text})")
        if flags & SUCCESS:
            mark_done(delivery.message, recipient)
        return True

    async def report(
        self,
        delivery: Delivery,
        recipient: Recipient,
        outcome: Outcome,
        relay: str = "none",
        *,
        connected: float = 0.0,
        reuse_count: int = 0,
        tls: str = "",
        returned_to: str | None = None,
    ) -> bool:
        """Log an outcome, tell who must know, and mark a recipient that is finished in the queue file.

        *relay* stands in the log line; *connected* is when the connection to it was there; *tls* stands before dsn=.
        Of a failure *returned_to* is told at once, if it is given, and not the sender.
        Returns whether the recipient is finished; if not, qmgr(8) keeps the message.
        """
        if not reuse_count and self.report_now(delivery, recipient, outcome, relay, connected, tls):
            return True
        if outcome.kind == DAMAGED:
            _mark_corrupt(delivery.message, outcome.text)
            return False
        if self._filter is not None:
            outcome = await filtered(self._filter, outcome)
        warning = misfit(outcome)
        if warning is not None:
            log.warning(warning)
            outcome = fitting(outcome)
        flags = delivery.request.flags
        stats = MessageStats(
            delivery.arrival_time, delivery.active_time, delivery.handoff_time, connected, time.time(), reuse_count
        )
        result = _Result(delivery, recipient, outcome, relay, stats, tls, returned_to)
        if flags & ANY_VERIFY:
            finished = await self._probed(result)
        elif outcome.kind == SENT:
            finished = await self._sent(result)
        elif outcome.kind == BOUNCED:
            finished = await self._bounced(result)
        else:
            finished = await self._deferred(result)
        if finished and flags & SUCCESS:
            mark_done(delivery.message, recipient)
        return finished

    async def trace(self, delivery: Delivery, recipient: Recipient, outcome: Outcome, relay: str = "none") -> bool:
        """Tell trace(8) alone, of what is no delivery, as when an alias is expanded; say whether it knows."""
        stats = MessageStats(delivery.arrival_time, delivery.active_time, delivery.handoff_time, 0.0, time.time())
        result = _Result(delivery, recipient, outcome, relay, stats, "")
        return await self._traced(result)

    def _log(self, result: _Result, status: str) -> None:
        delivery, recipient, outcome, relay, stats, tls, _ = result
        used = f"conn_use={stats.reuse_count + 1}, " if stats.reuse_count else ""
        delays = format_delays(stats, self._resolution)
        log.info(
            f"{delivery.request.queue_id}: {_to(recipient)}relay={relay}, {used}{delays}, {tls}dsn={outcome.code}, "
            f"status={status} ({outcome.text})"
        )

    # What becomes of each kind

    async def _sent(self, result: _Result) -> bool:
        flags = result.delivery.request.flags
        traced = flags & (RECORD | RECORD_DELAY_SENT) or result.recipient.notify_flags & NOTIFY_SUCCESS
        if traced and not await self._traced(result):
            service, queue_id = self._services.trace_service_name, result.delivery.request.queue_id
            outcome = Deferred("4.3.0", f"{queue_id}: {service} service failed")
            return await self._deferred(result._replace(outcome=outcome))
        self._log(result, "sent")
        return True

    async def _bounced(self, result: _Result) -> bool:
        soft = self._soft_bounce
        service = self._services.bounce_service_name
        word = "bounced"
        if soft:
            result = result._replace(outcome=changed(result.outcome, DEFERRED))
            service = self._services.defer_service_name
            word = "SOFTBOUNCE"
        if result.returned_to is not None and not soft:
            told = await self._returned(service, result, result.returned_to)
        else:
            told = await self._append(service, result)
        if told and await self._recorded(result):
            self._log(result, word)
            return not soft
        text = f"{service} or {self._services.trace_service_name} service failure"
        return await self._deferred(result._replace(outcome=Deferred("4.3.0", text)))

    async def _deferred(self, result: _Result) -> bool:
        service = self._services.defer_service_name
        queue_id = result.delivery.request.queue_id
        if not await self._append(service, result):
            log.warning(f"{queue_id}: {service} service failure")
        self._log(result, "deferred")
        if not await self._recorded(result):
            log.warning(f"{queue_id}: {self._services.trace_service_name} service failure")
        await self._tell_flush(queue_id, result.recipient)
        return False

    async def _tell_flush(self, queue_id: str, recipient: Recipient) -> None:
        """Let flush(8) know that a message waits for a domain of fast_flush_domains.  Source: ETRN_README."""
        domain = recipient.recipient.rpartition("@")[2]
        try:
            wanted = "@" in recipient.recipient and bool(domain) and await self._flushed.ask_domain(domain)
        except TableError as error:
            log.warning(f"fast_flush_domains: {error}")
            return
        if wanted:
            if self._flushes_by_old_default:
                what = f'relay_domains=$mydestination to update fast-flush logfile for domain "{domain}"'
                log.info(old_default_text(what))
            await self._flush.add(domain, queue_id)

    async def _recorded(self, result: _Result) -> bool:
        if not result.delivery.request.flags & RECORD:
            return True
        return await self._traced(result)

    async def _traced(self, result: _Result) -> bool:
        service = self._services.trace_service_name
        if await self._append(service, result):
            return True
        log.warning(f"{result.delivery.request.queue_id}: {service} service failure")
        return False

    async def _returned(self, service: str, result: _Result, sender: str) -> bool:
        """Have a notice of one failure sent to *sender*; tell whether it is on its way."""
        request = result.delivery.request
        notice = One(
            nrequest=ONE,
            flags=request.flags & _TRACE_FLAGS,
            queue_name=request.queue_name,
            queue_id=request.queue_id,
            encoding=request.encoding,
            sendopts=request.sendopts,
            sender=sender,
            envelope_id=request.envelope_id,
            ret_flags=request.ret_flags,
            **_what_bounce_keeps(result),
            reason=result.outcome.text,
        )
        return await bounce.flush(service, notice, self._timeout)

    async def _append(self, service: str, result: _Result) -> bool:
        request, reason = result.delivery.request, result.outcome.text
        if service == self._services.trace_service_name and result.relay != "none":
            reason = f"delivery via {result.relay}: {reason}"
        entry = Append(
            flags=request.flags & _TRACE_FLAGS,
            queue_id=request.queue_id,
            **_what_bounce_keeps(result),
            reason=reason,
        )
        return await bounce.append(service, entry, self._timeout)

    # Address probes

    async def _probed(self, result: _Result) -> bool:
        outcome = result.outcome
        queue_id = result.delivery.request.queue_id
        word = "deliverable" if outcome.kind == SENT else "undeliverable"
        if result.delivery.request.flags & USER_VERIFY:
            service = self._services.trace_service_name
            done = await self._append(service, result._replace(outcome=outcome._replace(action=word)))
        elif outcome.kind != SENT and not self._services.address_verify_negative_cache:
            word = "undeliverable-but-not-cached"
            done = True
        else:
            service = self._services.address_verify_service_name
            done = await self._verified(result.recipient, outcome, f"private/{service}")
        if not done:
            log.warning(f"{queue_id}: {service} service failure")
            return False
        self._log(result, word)
        return True

    async def _verified(self, recipient: Recipient, outcome: Outcome, path: str) -> bool:
        addresses = [recipient.original_recipient] if recipient.original_recipient else []
        if recipient.recipient != recipient.original_recipient:
            addresses.append(recipient.recipient)
        status = _RECIPIENT_STATUS[outcome.kind]
        for address in addresses:
            update = verify.Update(address=address, recipient_status=status, reason=outcome.text)
            try:
                reply = await ipc.call(path, verify.PROTOCOL, update, verify.StatusReply, self._timeout)
            except ServiceError as error:
                log.warning(str(error))
                return False
            if reply.status != verify.OK:
                return False
        return True


def _what_bounce_keeps(result: _Result) -> dict[str, Any]:
    """Return what bounce(8), defer(8) and trace(8) are told of a recipient and its outcome, by their names."""
    recipient, outcome = result.recipient, result.outcome
    return {
        "original_recipient": recipient.original_recipient,
        "recipient": recipient.recipient,
        "offset": recipient.offset,
        "dsn_orig_rcpt": recipient.dsn_orig_rcpt,
        "notify_flags": recipient.notify_flags,
        "status": outcome.code,
        "diag_type": outcome.diag_type,
        "diag_text": outcome.diag_text,
        "mta_type": outcome.mta_type,
        "mta_name": outcome.mta_name,
        "action": outcome.action,
    }


def _to(recipient: Recipient) -> str:
    address = recipient.recipient
    original = recipient.original_recipient
    if not original or original == address or original.lower() == address.lower():
        return f"to=<{internal_to_external(address)}>, "
    return f"to=<{internal_to_external(address)}>, orig_to=<{internal_to_external(original)}>, "


class NotMarked(Exception):
    """A recipient that is finished cannot be marked in the queue file; the log has it."""


def mark_done(message: Message, recipient: Recipient) -> None:
    """Mark a recipient as finished.  Raises NotMarked: qmgr(8), who gets no answer, will have it delivered again."""
    try:
        message.mark_done(recipient.offset)
    except OSError as error:
        log.fatal(f"update queue file {message.path}: {error.strerror}")
        raise NotMarked(message.path) from error


def _mark_corrupt(message: Message, text: str) -> None:
    for line in text.split("\n"):
        log.warning(line)
    try:
        message.mark_corrupt()
    except OSError as error:
        log.warning(f"fchmod {message.path}: {error.strerror}")


def is_probe(request: DeliveryRequest) -> bool:
    """Tell whether only the address is to be verified: nothing is to be delivered."""
    return bool(request.flags & (MTA_VERIFY | USER_VERIFY))
