"""What happens when all recipients of a message were tried: notices, another try later, or the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from pyfix.clients import bounce
from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.daemons.qmgr.intake import Intake, give_up
from pyfix.daemons.qmgr.request import return_flags
from pyfix.delivery.delays import format_times
from pyfix.formats.address import internal_to_external
from pyfix.formats.number import whole_number
from pyfix.formats.queuefile import NOTIFY_SUCCESS
from pyfix.formats.records import WARN, encode_record
from pyfix.protocols.internal.bounce import (
    DELETE_RECIPIENTS,
    FLUSH,
    TRACE,
    VERP,
    Flush,
    Flush37,
    FlushVerp,
    FlushVerp37,
)
from pyfix.protocols.internal.bounce import WARN as WARN_COMMAND
from pyfix.protocols.internal.delivery import RECORD, RECORD_DELAY_SENT, USER_VERIFY, InternalProtocol
from pyfix.queue.envelope import EnvelopeRecipient
from pyfix.queue.message import Message
from pyfix.queue.spool import ACTIVE, BOUNCE, SAVED, Spool
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.task import spawn
from pyfix.scheduling.message import ActiveMessage

_DISCARDED = "undeliverable postmaster notification discarded"
_NOTICES = {TRACE: "trace", WARN_COMMAND: "delay warning"}
_TRACED = USER_VERIFY | RECORD | RECORD_DELAY_SENT


class Completion:
    """Ends a message's stay in the active queue."""

    def __init__(
        self,
        settings: QmgrSettings,
        spool: Spool,
        intake: Intake,
        protocol: InternalProtocol,
        gone: Callable[[int], None],
        report: Callable[[BaseException | None], None],
        *,
        bounce_lifetime: int,
    ) -> None:
        """*gone* hears how many messages left the active queue, *report* of bugs."""
        self._bounce_lifetime = bounce_lifetime
        self._settings = settings
        self._spool = spool
        self._intake = intake
        self._protocol = protocol
        self._gone = gone
        self._report = report
        self._timeout = settings.ipc_timeout
        self._finished: list[ActiveMessage] = []

    def discard(self, message: ActiveMessage, recipients: Sequence[EnvelopeRecipient]) -> None:
        """Log that *recipients* get nothing, who were named as the sender of postmaster notices, and mark them done."""
        resolution = self._settings.delay_logging_resolution_limit
        delays = format_times(message.arrival_time, message.active_time, 0.0, 0.0, time.time(), resolution)
        for recipient in recipients:
            log.info(f"{message.queue_id}: {_to(recipient)}relay=none, {delays}, dsn=2.0.0, status=sent ({_DISCARDED})")
        try:
            with Message(self._spool.path(ACTIVE, message.queue_id), None) as file:
                for recipient in recipients:
                    file.mark_done(recipient.offset)
        except OSError as error:
            log.warning(f"{message.queue_id}: update queue file: {error.strerror}")

    def finish(self, message: ActiveMessage) -> None:
        """Send what notices are due, and remove or defer the message."""
        if message.deferred or ((message.flags or message.sizes.flags) and self._is_traced(message)):
            spawn(self._finish(message), self._report)
            return
        if not self._finished:
            current().soon(self._end_finished)
        self._finished.append(message)

    def _end_finished(self) -> None:
        """Remove the messages of this turn that need no notice: first see to that, then remove, then log."""
        finished, self._finished = self._finished, []
        path, exists, remove = self._spool.path, os.access, self._unlink
        delivered = []
        for message in finished:
            if exists(path(BOUNCE, message.queue_id), os.F_OK):
                spawn(self._finish(message), self._report)
            else:
                delivered.append(message)
        removed = [message for message in delivered if remove(message)]
        for message in removed:
            log.info(f"{message.queue_id}: removed")
        self._gone(len(delivered))

    @staticmethod
    def _is_traced(message: ActiveMessage) -> bool:
        return bool(message.flags & _TRACED or (message.sizes.flags >> 1) & NOTIFY_SUCCESS)

    async def _finish(self, message: ActiveMessage) -> None:
        settings = self._settings
        if os.access(self._spool.path(BOUNCE, message.queue_id), os.F_OK) and not await self._flush(
            settings.bounce_service_name, message, self._failure_command(message), 0
        ):
            message.deferred = True
        if self._is_traced(message) and not await self._flush(
            settings.trace_service_name, message, TRACE, message.flags
        ):
            message.deferred = True
        if not message.deferred:
            self._remove(message)
            return
        if not self._intake.is_whole(message.queue_id):
            self._gone(1)
            return
        now = int(time.time())
        if message.expire or now >= self._created(message) + self._lifetime(message):
            word = "force-expired" if message.expire else "expired"
            log.info(
                f"{message.queue_id}: from=<{internal_to_external(message.sender)}>, status={word}, returned to sender"
            )
            if await self._flush(
                settings.defer_service_name, message, self._failure_command(message), DELETE_RECIPIENTS
            ):
                self._remove(message)
                return
        elif (
            message.warn_time > 0
            and now >= message.warn_time - 1
            and await self._flush(settings.defer_service_name, message, WARN_COMMAND, 0)
        ):
            self._warned(message)
        age = now - self._created(message)
        self._intake.defer(
            message.queue_id, max(settings.minimal_backoff_time, min(age, settings.maximal_backoff_time))
        )
        self._gone(1)

    def _failure_command(self, message: ActiveMessage) -> int:
        return VERP if message.verp and not self._settings.disable_verp_bounces else FLUSH

    def _lifetime(self, message: ActiveMessage) -> int:
        return self._settings.maximal_queue_lifetime if message.sender else self._bounce_lifetime

    @staticmethod
    def _created(message: ActiveMessage) -> int:
        return whole_number(message.attributes.get("create_time", ""), int(message.arrival_time))

    async def _flush(self, service: str, message: ActiveMessage, command: int, flags: int) -> bool:
        values = (
            command,
            flags,
            ACTIVE,
            message.queue_id,
            message.attributes.get("encoding", ""),
            message.sizes.options,
            message.sender,
            message.attributes.get("envelope_id", ""),
            return_flags(message),
        )
        request: Flush
        if command == VERP:
            request = (FlushVerp if self._protocol == "3.11" else FlushVerp37)(*values, message.verp)
        else:
            request = (Flush if self._protocol == "3.11" else Flush37)(*values)
        if await bounce.flush(service, request, self._timeout):
            return True
        log.info(f"{message.queue_id}: status=deferred ({_NOTICES.get(command, 'bounce')} failed)")
        return False

    def _warned(self, message: ActiveMessage) -> None:
        """Record in the queue file that the delay notice was sent."""
        try:
            with Message(self._spool.path(ACTIVE, message.queue_id), None) as file:
                file.overwrite(message.warn_offset, encode_record(WARN, b"%15d" % -1))
        except OSError as error:
            log.warning(f"{message.queue_id}: update queue file: {error.strerror}")

    def _remove(self, message: ActiveMessage) -> None:
        if self._unlink(message):
            log.info(f"{message.queue_id}: removed")
        self._gone(1)

    def _unlink(self, message: ActiveMessage) -> bool:
        try:
            if self._settings.dont_remove:
                self._spool.rename(message.queue_id, ACTIVE, SAVED)
            else:
                os.unlink(self._spool.path(ACTIVE, message.queue_id))
        except OSError as error:
            problem = f"qmgr_active_done_3_generic: remove {message.queue_id} from {ACTIVE}: {error.strerror}"
            if not isinstance(error, FileNotFoundError):
                give_up(problem)
            log.warning(problem)
            return False
        return True


def _to(recipient: EnvelopeRecipient) -> str:
    address, original = recipient.recipient, recipient.original_recipient
    to = f"to=<{internal_to_external(address)}>, "
    if not original or original.lower() == address.lower():
        return to
    return f"{to}orig_to=<{internal_to_external(original)}>, "
