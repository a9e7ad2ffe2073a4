"""One message over a session: commands, content, and what each reply means for the recipients."""

from __future__ import annotations

import time
from itertools import chain
from typing import Final

from pyfix.daemons.smtp.checks import CheckFailed
from pyfix.daemons.smtp.complaint import concerns_protocol
from pyfix.daemons.smtp.courier import Courier
from pyfix.daemons.smtp.editing import Editor, needs_no_conversion
from pyfix.daemons.smtp.envelope import mail_command, needs_conversion, rcpt_command, xforward_commands
from pyfix.daemons.smtp.failure import Failure, refusal
from pyfix.daemons.smtp.greeting import local_data_error
from pyfix.daemons.smtp.session import ServerLost, Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.delivery.output import damaged
from pyfix.delivery.report import is_probe
from pyfix.protocols.smtp.client_reply import Reply
from pyfix.protocols.smtp.outgoing import ContentEncoder
from pyfix.protocols.smtp.transfer import Event, Stage, Transfer, What
from pyfix.queue.message import ContentDamaged
from pyfix.rewriting.lookup import MappingError
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.task import sleep

_BODY: Final = "sending message body"
_SUCCESS: Final = "2.0.0"
_MOST_UNSENT: Final = 65536


class Transaction:
    """The handing over of one message to one server."""

    def __init__(self, session: Session, courier: Courier, setup: Setup, *, keep: bool) -> None:
        """*keep*: the session will be used again."""
        self._session: Final = session
        self._courier: Final = courier
        self._setup: Final = setup
        self._keep: Final = keep
        settings = setup.settings
        self._timeouts: Final = {
            Stage.XFORWARD_NAME: settings.smtp_xforward_timeout,
            Stage.XFORWARD_HELO: settings.smtp_xforward_timeout,
            Stage.PROBE: settings.smtp_rset_timeout,
            Stage.MAIL: settings.smtp_mail_timeout,
            Stage.RCPT: settings.smtp_rcpt_timeout,
            Stage.DATA: settings.smtp_data_init_timeout,
            Stage.DOT: settings.smtp_data_done_timeout,
            Stage.RESET: settings.smtp_rset_timeout,
            Stage.QUIT: settings.smtp_quit_timeout,
            Stage.LAST: settings.smtp_quit_timeout,
        }

    async def run(self) -> bool:
        """Offer the message to the server and report what became of the recipients.

        Returns False, and has reported nothing, when the session is one that was kept and is of no use any more.
        """
        courier, session, setup = self._courier, self._session, self._setup
        courier.connected = time.time()
        request = courier.delivery.request
        limit = session.offer.size_limit
        if limit and request.size > limit:
            text = f"message size {request.size} exceeds size limit {limit} of server {session.server.name}"
            session.lost = True
            await courier.fail_all(Failure("5.3.4", text), throttle=False)
            return True
        recipients = [recipient for recipient in courier.left if recipient is not None]
        probe = None
        if is_probe(request):
            probe = Stage.DATA if setup.probe_at_data else Stage.RCPT
        sender, addresses = courier.sender, [recipient.recipient for recipient in recipients]
        if setup.generic is not None:
            try:
                sender = await setup.generic.internal(sender)
                addresses = [await setup.generic.internal(address) for address in addresses]
            except (MappingError, ServiceError) as error:
                await self._local_error(error)
                return True
        transfer = Transfer(
            mail_command(request, sender, session, setup),
            [rcpt_command(*one, session, setup) for one in zip(recipients, addresses, strict=True)],
            window=session.window,
            xforward=xforward_commands(request, session, setup),
            probe=probe,
            per_recipient=setup.lmtp,
            keep=self._keep,
            kept=session.reuse_count > 0,
        )
        doing = ""
        try:
            while not transfer.over:
                commands = transfer.commands()
                if transfer.content_due:
                    transfer.content_due = False
                    doing = _BODY
                    if not await self._send_content():
                        return True
                    doing = ""
                    if "delay_dotcrlf" in session.workarounds:
                        await session.drain()
                        await sleep(setup.settings.smtp_pix_workaround_delay_time)
                session.send(commands)
                if setup.settings.smtp_skip_quit_response and transfer.stage is Stage.QUIT:
                    break
                while transfer.awaited:
                    if transfer.stage is Stage.QUIT and setup.settings.smtp_skip_quit_response:
                        return True
                    reply = await session.reply(self._timeouts[transfer.stage])
                    stage = transfer.stage
                    event = transfer.receive(reply)
                    if event.what is What.STALE:
                        return False
                    if event.what is not What.NOTHING:
                        await self._act(event, reply, stage, transfer)
        except ServerLost as lost:
            if transfer.stage is Stage.PROBE:
                return False
            if transfer.stage < Stage.QUIT:
                await courier.fail_all(lost.failure(session.server, doing or transfer.stage.doing), throttle=True)
        return True

    async def _act(self, event: Event, reply: Reply, stage: Stage, transfer: Transfer) -> None:
        """Report what a reply means."""
        courier, session = self._courier, self._session
        what, index = event
        host = session.server.host
        if what in (What.DELIVERED, What.PROBED):
            await self._delivered(index, reply)
            return
        if what in (What.ALL_DELIVERED, What.ALL_PROBED):
            if what is What.ALL_PROBED:
                session.worn = True
                reply = reply._replace(status=_SUCCESS)
            for accepted in transfer.accepted:
                await self._delivered(accepted, reply)
            return
        if concerns_protocol(reply.code):
            session.misunderstood = True
        said = f"said: {reply.line} (in reply to {stage.command})"
        text = f"host {session.server.name} {said}"
        if what is What.WARN:
            log.warning(f"host {session.server.full_name} {said}")
        elif what is What.REFUSED:
            await courier.fail_one(index, refusal(host, reply, text))
        else:
            await courier.fail_all(refusal(host, reply, text), throttle=False)

    async def _delivered(self, index: int, reply: Reply) -> None:
        tells = "DSN" in self._session.offer
        setup = self._setup
        final = setup.lmtp and (setup.settings.lmtp_assume_final or (setup.flags is not None and setup.flags.is_final))
        relayed = tells or not final
        await self._courier.delivered(index, reply, self._session.server.host, relayed=relayed, tells=tells)

    async def _send_content(self) -> bool:
        """Send the content without its final dot; tell whether that was possible.  Raises ServerLost."""
        session, courier = self._session, self._courier
        settings = self._setup.settings
        limit = settings.smtp_line_length_limit

        def broken() -> None:
            log.info(f"{courier.queue_id}: breaking line > {limit} bytes with <CR><LF>SPACE")

        session.begin_content(settings.smtp_data_xfer_timeout)
        encoder = ContentEncoder(limit, broken)
        delivery = courier.delivery
        blocks = delivery.message.content_blocks(delivery.request.offset)
        try:
            first = self._headers() + next(blocks, b"")
            editor = self._editor(first)
            if editor is None:
                session.stream.write(encoder.encode(first))
                for block in blocks:
                    await self._relieve()
                    session.stream.write(encoder.encode(block))
            else:
                convert = needs_conversion(delivery.request, session, self._setup)
                async for block in editor.edited(chain([first], blocks), convert=convert):
                    session.stream.write(encoder.encode(block))
                    await self._relieve()
        except ContentDamaged as damage:
            session.lost = True
            await courier.damaged(damaged(delivery.message, damage))
            return False
        except (CheckFailed, MappingError, ServiceError) as error:
            return await self._local_error(error)
        if editor is not None and editor.error is not None:
            session.lost = True
            await courier.fail_all(Failure(*editor.error), throttle=False)
            return False
        session.stream.write(encoder.end())
        return True

    def _headers(self) -> bytes:
        """Return the headers that flags of the service put before the message."""
        flags, courier = self._setup.flags, self._courier
        if flags is None:
            return b""
        recipient = next(recipient for recipient in courier.left if recipient is not None)
        return flags.headers(courier.delivery.request, recipient)

    async def _relieve(self) -> None:
        if self._session.stream.unsent > _MOST_UNSENT:
            await self._session.drain()

    async def _local_error(self, error: Exception) -> bool:
        """Report that something on this side has failed amid a session, which ends."""
        if str(error):
            log.warning(f"{self._courier.queue_id}: {error}")
        self._session.lost = True
        await self._courier.fail_all(local_data_error(self._session), throttle=True)
        return False

    def _editor(self, first: bytes) -> Editor | None:
        """Return what changes the content, whose first block is given; None where nothing can change."""
        setup = self._setup
        if setup.checks is None and setup.generic is None:
            request = self._courier.delivery.request
            if not needs_conversion(request, self._session, setup) or needs_no_conversion(first):
                return None
        settings = setup.settings
        limits = (
            settings.header_size_limit, settings.mime_nesting_limit, settings.mime_boundary_length_limit,
            settings.line_length_limit,
        )  # fmt: skip
        return Editor(self._courier.queue_id, setup.checks, setup.generic, limits)
