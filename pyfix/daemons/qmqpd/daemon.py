"""qmqpd(8): receives messages by QMQP, one a connection.

Source: qmqpd(8); https://cr.yp.to/proto/qmqp.html.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from pyfix.access.peer import PeerNames
from pyfix.access.transaction import Client
from pyfix.clients.cleanup import NewMessage, input_flags
from pyfix.config.parameters.qmqpd import QmqpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmqpd import message
from pyfix.daemons.qmqpd.packet import Packet, PacketError, PacketReader
from pyfix.formats import netstring
from pyfix.formats import status as bits
from pyfix.protocols.internal.cleanup import Status
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import sleep
from pyfix.tables.matchlist import MatchList
from pyfix.tables.source import restart_if_changed

_GOOD, _LATER, _BAD = "K", "Z", "D"
_FAILED = "Error: queue file write error"
_SENDING = "sending completion status"
_PROBLEMS = (
    (bits.BAD, _LATER, "Error: internal error {status}"),
    (bits.WRITE, _LATER, _FAILED),
    (bits.SIZE, _BAD, "Error: message too large"),
    (bits.HOPS, _BAD, "Error: too many hops"),
    (bits.CONTENT, _BAD, "Error: {reason}"),
    (bits.NO_RECIPIENT, _BAD, "Error: no recipients specified"),
)
"""What cleanup(8) may say against a message, and the reply."""


class Qmqpd(Daemon):
    """The QMQP server."""

    program = "qmqpd"
    capacity = 500

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = self.settings = QmqpdSettings(snapshot)
        settings.check()
        self._peers = PeerNames(lookup=True, log_port=settings.qmqpd_client_port_logging)
        self._allowed = MatchList("qmqpd_authorized_clients", settings.qmqpd_authorized_clients, snapshot)
        self._flags = input_flags(settings.receive_override_options, milters=True)

    def client_timeout(self) -> float:
        """Seconds that a silent client is waited for."""
        return self.settings.qmqpd_timeout

    def outdated(self) -> bool:
        """Say whether a table has changed."""
        return restart_if_changed()

    async def serve(self, stream: Stream) -> None:
        """Take one message of one client."""
        client = await self._peers.client_of(stream.socket)
        if client is None:
            return
        log.info(f"connect from {client.log_name}")
        await self._serve(stream, client)
        log.info(f"disconnect from {client.log_name}")

    async def _serve(self, stream: Stream, client: Client) -> None:
        if not await self._allowed.ask_client(client.name, client.address):
            problem = self._allowed.problem
            text = (
                "Error: server configuration error"
                if problem
                else (f"Error: {client.log_name} is not authorized to use this service")
            )
            await self._reply(stream, client, "", _LATER if problem else _BAD, text)
            return
        arrival = time.time()
        settings = self.settings
        try:
            new = await NewMessage.open(settings.cleanup_service_name, self._flags, settings.ipc_timeout)
        except ServiceError as error:
            log.warning(f"new message: {error}")
            await self._reply(stream, client, "", _LATER, _FAILED)
            return
        log.info(f"{new.queue_id}: client={client.log_name}")
        reader = PacketReader(stream, size_limit=settings.message_size_limit, address_limit=settings.line_length_limit)
        try:
            packet = await reader.read()
        except PacketError as error:
            new.cancel()
            log.info(f"{new.queue_id}: {client.log_name}: {error} while {error.doing}")
            if not error.is_lost:
                await self._reply(stream, client, new.queue_id, _BAD, f"{error} while {error.doing}")
            return
        except BaseException:
            new.cancel()
            raise
        letter, text = await self._bring(new, packet, client, arrival)
        if letter != _GOOD:
            log.warning(f"{new.queue_id}: {client.log_name}: {text}")
        await self._reply(stream, client, new.queue_id, letter, text)

    async def _bring(self, new: NewMessage, packet: Packet, client: Client, arrival: float) -> tuple[str, str]:
        """Give a message to cleanup(8); return the reply."""
        settings = self.settings
        names = (settings.myhostname, settings.mail_name)
        try:
            new.write(
                message.envelope(packet, client, arrival, settings.content_filter, settings.verp_delimiter_filter)
            )
        except message.BadVerp as error:
            new.cancel()
            return _BAD, str(error)
        new.write(message.content(packet, client, new.queue_id, arrival, names, settings.line_length_limit))
        try:
            answer = await new.finish()
        except ServiceError:
            return _LATER, _FAILED
        if not packet.recipients and not answer.status:
            return _BAD, "Error: no recipients specified"
        return _reply_to(answer, new.queue_id)

    async def _reply(self, stream: Stream, client: Client, queue_id: str, letter: str, text: str) -> None:
        if letter != _GOOD and self.settings.qmqpd_error_delay:
            await sleep(self.settings.qmqpd_error_delay)
        try:
            stream.write(netstring.encode(f"{letter}{text}".encode("utf-8", "surrogateescape")))
            await stream.drain()
        except (StreamClosed, StreamTimeout) as error:
            problem = "read/write timeout" if isinstance(error, StreamTimeout) else "lost connection"
            log.info(f"{queue_id or 'NOQUEUE'}: {client.log_name}: {problem} while {_SENDING}")


def _reply_to(answer: Status, queue_id: str) -> tuple[str, str]:
    if not answer.status:
        return _GOOD, f"Ok: queued as {queue_id}"
    for bit, letter, text in _PROBLEMS:
        if answer.status & bit:
            return letter, text.format(status=answer.status, reason=answer.reason)
    return _LATER, f"Error: internal error {answer.status}"


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Qmqpd, argv)
