"""bounce(8), as bounce, defer and trace: keep the log of each message's outcomes, and send notices.

Source: bounce(8); postconf(5) notify_classes, bounce_notice_recipient, 2bounce_notice_recipient,
delay_notice_recipient, double_bounce_sender, bounce_template_file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.bounce import BounceSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.bounce.notice import DELAY, FAILURE, SUCCESS, VERIFY, Kind, Notifier
from pyfix.daemons.bounce.texts import Texts, shown, shown_expanded
from pyfix.formats.address import internal_to_external
from pyfix.formats.attributes import AttributeListError, Attributes, decode_pairs
from pyfix.formats.queuefile import NOTIFY_DELAY, NOTIFY_FAILURE
from pyfix.formats.queueid import is_valid
from pyfix.notices.template import BUILT_IN, TemplateError, read_templates
from pyfix.protocols.internal import bounce as protocol
from pyfix.protocols.internal.bounce import (
    Append,
    Flush,
    Flush37,
    FlushVerp,
    FlushVerp37,
    One,
    One37,
    Result,
)
from pyfix.queue.bouncelog import LogEntry, LogNotOpened, StatusLog, append_entry, encode_entry, load_log, remove_log
from pyfix.queue.message import Message
from pyfix.queue.spool import Spool
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.ipc import handshake, receive_list
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream

_OK: Final = 0
_FAILED: Final = -1
_QUEUE_NAME: Final = re.compile(r"[0-9A-Za-z]+")
_VERIFY_FLAGS: Final = 512 | 1024
"""Bits of a trace request's flags: the user asked for a report (sendmail -bv, -v)."""

_SHOWN: Final = {"dump_templates": shown, "expand_templates": shown_expanded}
"""What is asked for by the name of the service where there is no master."""

_NOTHING_KNOWN: Final = LogEntry("(recipient address unavailable)", reason="(error report unavailable)")
"""What is told with VERP where there is no log."""

_REQUESTS: Final[dict[int, tuple[type[Attributes], type[Attributes]]]] = {
    protocol.APPEND: (Append, Append),
    protocol.FLUSH: (Flush, Flush37),
    protocol.WARN: (Flush, Flush37),
    protocol.VERP: (FlushVerp, FlushVerp37),
    protocol.ONE: (One, One37),
    protocol.TRACE: (Flush, Flush37),
}
"""For each request its message class, in the form of 3.11 and of 3.7."""


class Bounce(Daemon):
    """One log directory, named as the service, and the notices made of it."""

    program = "bounce"
    capacity = 100
    process_limit = 0

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = BounceSettings(snapshot)
        self.settings.check()
        self._spool = Spool(self.settings.hash_queue_names, self.settings.hash_queue_depth)
        self._service = invocation.service
        self._notifier: Notifier

    def before_jail(self) -> None:
        """Read bounce_template_file with the rights of root.  Raises ConfigError."""
        templates = dict(BUILT_IN)
        path = self.settings.bounce_template_file
        if path:
            try:
                with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                    templates = read_templates(file.read(), path, log.warning)
            except OSError as error:
                # Only Python refuses to open a folder; the system does when it is read.
                step = "read" if isinstance(error, IsADirectoryError) else "open"
                raise ConfigError(f"{step} {path}: {error.strerror}") from error
            except TemplateError as error:
                raise ConfigError(str(error)) from error
        self._templates = templates
        self._notifier = Notifier(self.settings, templates, self._spool)

    def stand_alone(self) -> None:
        """Show the templates on standard output, for postconf(1).  Raises ConfigError."""
        show = _SHOWN.get(self._service)
        if show is None:
            super().stand_alone()
            return
        try:
            text = "".join(f"{line}\n" for line in show(self._templates, Texts(self.settings)))
        except TemplateError as error:
            raise ConfigError(str(error)) from error
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()

    async def serve(self, stream: Stream) -> None:
        """Answer one request."""
        stream.write(handshake(protocol.PROTOCOL))
        try:
            data = await receive_list(stream)
            if data is None:
                return
            request = _parse(data)
            if stream.peer_left and isinstance(request, Append):
                # Killed before it learned that this is known, so that the recipient is tried again.  By the time we
                # write, the message may be delivered and gone, and its log would stay for ever.
                return
            status = await self._answer(request)
        except AttributeListError as error:
            log.warning(error.complaint(f"{self._service} socket"))
            log.warning("malformed request")
            status = _FAILED
        except _Refused as refused:
            log.warning(str(refused))
            status = _FAILED
        except (LogNotOpened, TemplateError) as error:
            # Postfix's process ends here: its client gets no answer.  Ours has more of them.
            log.fatal(str(error))
            return
        except OSError as error:
            log.warning(f"{self._service} service: {error}")
            status = _FAILED
        stream.write(Result(status).encode())
        await stream.drain()

    async def _answer(self, request: Attributes) -> int:
        match request:
            case Append():
                return self._append(request)
            case One():
                return await self._one(request)
            case FlushVerp():
                return await self._verp(request)
            case Flush(nrequest=protocol.FLUSH):
                return await self._flush(request)
            case Flush(nrequest=protocol.WARN):
                return await self._warn(request)
            case Flush(nrequest=protocol.TRACE):
                return await self._trace(request)
        return _FAILED

    def _append(self, request: Append) -> int:
        _check(request.queue_id)
        data = encode_entry(
            _told(request),
            internal_to_external(request.recipient),
            internal_to_external(request.original_recipient),
            with_old_line=self.settings.backwards_bounce_logfile_compatibility,
        )
        try:
            append_entry(self._spool, self._service, request.queue_id, data)
        except LogNotOpened as error:
            raise LogNotOpened(f"open file {self._service} {request.queue_id}: {error.strerror}") from error
        return _OK

    # Non-delivery

    async def _flush(self, request: Flush) -> int:
        known = self._known(request)
        done = await self._failure(request, known)
        return self._finish(request, known, done=done)

    def _known(self, request: Flush) -> StatusLog:
        """Return what the message's log has.  Raises LogNotOpened, and OSError."""
        try:
            return load_log(self._spool, self._service, request.queue_id)
        except LogNotOpened as error:
            raise LogNotOpened(f"open {self._service} {request.queue_id}: {error.strerror}") from error

    async def _failure(self, request: Flush, known: StatusLog, verp: str = "", *, begins_anyway: bool = True) -> bool:
        """Send the notices of non-delivery; tell whether that is done or cannot be.

        *begins_anyway*: a notice that nobody wants is begun and taken back, which Postfix logs for a whole message.
        """
        settings = self.settings
        if self._is_double_bounce(request):
            log.warning(f"{request.queue_id}: undeliverable postmaster notification discarded")
            return True
        if not request.sender:
            if not {"bounce", "2bounce"}.intersection(settings.notify_classes):
                return True
            return await self._notifier.to_postmaster(FAILURE, request, known, settings.double_bounce_notice_recipient)
        wanted = [entry for entry in known.entries if _wants(entry, NOTIFY_FAILURE)]
        if (wanted or begins_anyway) and not await self._notifier.to_sender(FAILURE, request, known, wanted, verp):
            return False
        if "bounce" in settings.notify_classes:
            await self._notifier.to_postmaster(FAILURE, request, known, settings.bounce_notice_recipient)
        return True

    def _is_double_bounce(self, request: Flush) -> bool:
        return request.sender.lower() == self._notifier.double_bounce_address().lower()

    async def _verp(self, request: FlushVerp) -> int:
        if len(request.verp_delimiters) != 2:
            raise _Refused(f"malformed verp delimiter string: {request.verp_delimiters}")
        if not request.sender or self._is_double_bounce(request):
            log.warning("request to send VERP-style notification of bounced mail")
            return await self._flush(request)
        known = self._known(request)
        if not known.exists:
            return _OK if await self._failure(request, StatusLog((_NOTHING_KNOWN,))) else _FAILED
        done = True
        for item in known.items:
            if not isinstance(item, LogEntry):
                log.warning(item)
                continue
            # As the log has it, quotes and all, which is what Postfix has put there ever since.
            address = _verp_address(request.sender, item.original_recipient or item.recipient, request.verp_delimiters)
            done = await self._failure(request, StatusLog((item,)), address, begins_anyway=False) and done
        return self._finish(request, StatusLog(tuple(known.entries)), done=done)

    async def _one(self, request: One) -> int:
        return _OK if await self._failure(request, StatusLog((_told(request),)), begins_anyway=False) else _FAILED

    def _finish(self, request: Flush, known: StatusLog, *, done: bool) -> int:
        if not done:
            return _FAILED
        if request.flags & protocol.DELETE_RECIPIENTS:
            for fault in known.faults:
                log.warning(fault)
            self._mark_done(request, known.entries)
        remove_log(self._spool, self._service, request.queue_id)
        return _OK

    def _mark_done(self, request: Flush, entries: Sequence[LogEntry]) -> None:
        """Mark the recipients that were told of, so that they are not tried again."""
        offsets = [entry.offset for entry in entries if entry.offset > 0]
        if offsets:
            with Message(self._spool.path(request.queue_name, request.queue_id), lock=None) as message:
                for offset in offsets:
                    message.mark_done(offset)

    # Delay and success

    async def _warn(self, request: Flush) -> int:
        settings = self.settings
        known = self._known(request)
        if self._is_double_bounce(request):
            log.warning(f"{request.queue_id}: undeliverable postmaster notification discarded")
            return _OK
        if request.sender:
            wanted = [entry for entry in known.entries if _wants(entry, NOTIFY_DELAY)]
            if not await self._notifier.to_sender(DELAY, request, known, wanted):
                return _FAILED
        if "delay" in settings.notify_classes:
            await self._notifier.to_postmaster(DELAY, request, known, settings.delay_notice_recipient)
        return _OK

    async def _trace(self, request: Flush) -> int:
        known = self._known(request)
        kind: Kind = VERIFY if request.flags & _VERIFY_FLAGS else SUCCESS
        done = True
        if not known.exists:
            return _OK
        if self._is_double_bounce(request):
            log.info(f"{request.queue_id}: not sending trace/success notification for double-bounce message")
            return _OK
        if request.sender:
            done = await self._notifier.to_sender(kind, request, known, known.entries)
        elif "2bounce" in self.settings.notify_classes:
            done = await self._notifier.instead_of_sender(
                kind, request, known, self.settings.double_bounce_notice_recipient
            )
        else:
            log.info(f"{request.queue_id}: not sending trace/success notification for single-bounce message")
        if done:
            remove_log(self._spool, self._service, request.queue_id)
        return _OK if done else _FAILED


def _parse(data: bytes) -> Attributes:
    """Raises AttributeListError and _Refused."""
    pairs = decode_pairs(data)
    if not pairs or pairs[0][0] != "nrequest":
        raise _Unexpected(pairs[0][0] if pairs else "")
    command = protocol.Command.from_pairs(pairs)
    classes = _REQUESTS.get(command.nrequest)
    if classes is None:
        raise _Refused(f"unknown command: {command.nrequest}")
    old = any(name == "smtputf8" for name, _value in pairs)
    request = classes[1 if old else 0].from_pairs(pairs)
    if isinstance(request, Flush):
        if _QUEUE_NAME.fullmatch(request.queue_name) is None:
            raise _Refused(f"malformed queue name: {request.queue_name}")
        _check(request.queue_id)
    return request


class _Refused(Exception):
    """A request that is well formed but can't be obeyed."""


class _Unexpected(AttributeListError):
    def complaint(self, where: str, *, strict: bool = False) -> str:
        if not str(self):
            return f"missing attribute nrequest in input from {where}"
        return f"unexpected attribute {self} from {where} (expecting: nrequest)"


def _check(queue_id: str) -> None:
    """Raises _Refused."""
    if not is_valid(queue_id):
        raise _Refused(f"malformed queue id: {queue_id}")


def _told(request: Append | One) -> LogEntry:
    """Return what a request tells of, with addresses as they came; Postfix's notice of One has them so, too."""
    return LogEntry(
        recipient=request.recipient,
        original_recipient=request.original_recipient,
        offset=request.offset,
        dsn_original_recipient=request.dsn_orig_rcpt,
        notify=request.notify_flags,
        status=request.status,
        action=request.action,
        diagnostic_type=request.diag_type,
        diagnostic_text=request.diag_text,
        mta_type=request.mta_type,
        mta_name=request.mta_name,
        reason=request.reason,
    )


def _wants(entry: LogEntry, event: int) -> bool:
    """Tell whether the sender wants to hear of *event*; without NOTIFY it does.  Source: RFC 3461 section 4.1."""
    return not entry.notify or entry.notify & event != 0


def _verp_address(sender: str, recipient: str, delimiters: str) -> str:
    """Return the sender's address with the recipient's in it.  Source: VERP_README."""
    local, at, domain = sender.rpartition("@")
    if not at:
        local, domain = sender, ""
    name, has_domain, rest = recipient.rpartition("@")
    about = f"{name}{delimiters[1:2]}{rest}" if has_domain else recipient
    return f"{local}{delimiters[:1]}{about}{at}{domain}"


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Bounce, argv)
