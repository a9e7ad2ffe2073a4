"""A connection to one server: what is said and what is answered."""

from __future__ import annotations

from functools import partial
from typing import Final

from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.server import Server
from pyfix.protocols.smtp.client_reply import Reply, ReplyReader
from pyfix.protocols.smtp.offer import Offer
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.tables.maps import Maps
from pyfix.tables.table import Table, TableError
from pyfix.tls.facts import TlsFacts


class ServerLost(Exception):
    """The server is gone, or silent for too long; or what it says can't be understood for a reason of ours."""

    def __init__(self, *, timed_out: bool = False, ours: bool = False) -> None:
        """*ours*: a table that changes replies can't be asked."""
        super().__init__("timeout" if timed_out else "lost")
        self.timed_out: Final = timed_out
        self.ours: Final = ours

    def failure(self, server: Server, doing: str) -> Failure:
        """Return what is reported of the recipients; *doing* is what we were about."""
        if self.ours:
            return Failure("4.3.0", f"local data error while talking to {server.name}")
        if self.timed_out:
            return Failure("4.4.2", f"conversation with {server.name} timed out while {doing}")
        return Failure("4.4.2", f"lost connection with {server.name} while {doing}")


class ReplyFilter(Maps):
    """The tables of smtp_reply_filter, of whose failures a session tells."""

    failed = ""
    """The one that could not be asked."""

    def _failed(self, table: Table, key: str) -> None:
        self.failed = table.name


class Session:
    """One connection, from its greeting to its end."""

    def __init__(
        self, server: Server, stream: Stream, *, line_limit: int, whole_deadline: bool, min_data_rate: int = 500
    ) -> None:
        """*line_limit*: postconf(5) line_length_limit.  *whole_deadline*: smtp_per_request_deadline.

        *min_data_rate*: smtp_min_data_rate, bytes in a second.
        """
        self.server = server
        self.queue_id = ""
        """The message that it is used for."""
        self.stream = stream
        """Replaced when TLS begins."""
        self._reader: Final = ReplyReader(line_limit, self._warn)
        self._whole_deadline: Final = whole_deadline
        self._min_data_rate: Final = min_data_rate
        self._allowance = 0.0
        """Seconds that are left for the content."""
        self._filter: ReplyFilter | None = None
        """smtp_reply_filter, where it has to wait."""
        self.offer = Offer()
        self.esmtp = False
        """The server has answered EHLO or LHLO."""
        self.authenticated = False
        """We have logged in."""
        self.personal = False
        """Whom we are here depends on the destination: the session is for no other one on the same server."""
        self.window = 0
        """Bytes of commands that may be unanswered; 0: one command at a time."""
        self.history: list[str] = []
        """What was said, for the postmaster."""
        self.records = False
        """Whether that is kept."""
        self.workarounds: frozenset[str] = frozenset()
        """Those of smtp_pix_workarounds that are in force."""
        self.lost = False
        """The server is gone."""
        self.tls = ""
        """How TLS went, for the log."""
        self.encrypted: TlsFacts | None = None
        """What is known of the session's encryption; None without TLS."""
        self.in_the_clear = False
        """TLS was tried before, in vain."""
        self.level = "none"
        """What was needed of TLS when it began."""
        self.reuse_count = 0
        """Messages that the session was used for before the present one."""
        self.expires = 0.0
        """When it may not be kept any more, by the loop's clock."""
        self.kept_until = 0.0
        self.destination = ""
        """The destination that it is kept for."""
        self.misunderstood = False
        """The server has answered with a code that is about the protocol."""
        self.worn = False
        """The session is not to be used for another message."""

    def _warn(self, text: str) -> None:
        log.warning(f"{self.server.full_name}: {text}")

    def replace_lines(self, maps: ReplyFilter) -> None:
        """Let tables change each line of the server's before it is understood (smtp_reply_filter)."""
        if maps.local:
            self._reader.replace = partial(self._replaced_now, maps)
        else:
            self._filter = maps

    def _replaced_now(self, maps: ReplyFilter, line: str) -> str:
        try:
            return self._replaced(line, maps.find_now(line))
        except TableError:
            raise self._not_replaced(maps, line) from None

    async def _filtered_reply(self, maps: ReplyFilter) -> Reply | None:
        """Return the next reply by what tables that may wait make of its lines, None while it is not complete.

        Raises ServerLost.
        """
        reply = None
        while reply is None and (raw := self._reader.next_line()) is not None:
            line = raw.decode("utf-8", "surrogateescape")
            try:
                line = self._replaced(line, await maps.find(line))
            except TableError:
                raise self._not_replaced(maps, line) from None
            reply = self._reader.take(line.encode("utf-8", "surrogateescape"))
        return reply

    def _replaced(self, line: str, found: str | None) -> str:
        if found is None:
            return line
        log.info(f'{self.server.full_name}: replacing server reply "{line}" with "{found}"')
        return found

    def _not_replaced(self, maps: ReplyFilter, line: str) -> ServerLost:
        log.warning(f"{self.queue_id}: table {maps.failed} lookup error for {line}")
        return ServerLost(ours=True)

    @property
    def reader(self) -> ReplyReader:
        """What makes replies of bytes."""
        return self._reader

    def forget_input(self) -> None:
        """Drop what the server has said ahead of TLS, which it may not have said itself."""
        self._reader.clear()

    def say(self, command: str) -> None:
        """Send a command with the next read."""
        data = command.encode("utf-8", "surrogateescape")
        self.send(data + b"\r\n")

    def send(self, data: bytes) -> None:
        """Send commands with the next read."""
        if self.records:
            self.history += [f"Out: {line}" for line in data.decode("utf-8", "replace").splitlines()]
        self.stream.write(data)

    def say_secret(self, command: str, shown: str) -> None:
        """Send a command with the next read, of which the postmaster is shown something else."""
        if self.records:
            self.history.append(f"Out: {shown}")
        self.stream.write(command.encode("utf-8", "surrogateescape") + b"\r\n")

    async def reply(self, timeout: float) -> Reply:
        """Return the next reply, for which *timeout* seconds are waited.  Raises ServerLost."""
        reply = self._reader.next() if self._filter is None else await self._filtered_reply(self._filter)
        if reply is None:
            reply = await self._receive(timeout)
        if self.records:
            self.history += [f"In:  {line}" for line in reply.text.split("\n")]
        if reply.code == 421:
            self.worn = True
        return reply

    async def _receive(self, timeout: float) -> Reply:
        stream = self.stream
        stream.timeout = timeout
        stream.until = current().now + timeout if self._whole_deadline else 0.0
        try:
            while True:
                data = await stream.read()
                if not data:
                    self.lost = True
                    raise ServerLost(timed_out=False)
                self._reader.feed(data)
                reply = self._reader.next() if self._filter is None else await self._filtered_reply(self._filter)
                if reply is not None:
                    return reply
        except StreamTimeout:
            self.lost = True
            raise ServerLost(timed_out=True) from None
        except StreamClosed:
            self.lost = True
            raise ServerLost(timed_out=False) from None

    def begin_content(self, timeout: float) -> None:
        """Give the sending of content *timeout* seconds: for each write, or for all of them (see ``drain``)."""
        self.stream.timeout = timeout
        self.stream.until = 0.0  # that of the last reply
        self._allowance = timeout

    async def drain(self) -> None:
        """Wait until all of the content that was written is sent.  Raises ServerLost.

        Where a request has one deadline as a whole, waiting takes from the time for the content, and each byte adds to
        it (smtp_min_data_rate).
        """
        try:
            await (self._drain_by_rate() if self._whole_deadline else self.stream.drain())
        except StreamTimeout:
            self.lost = True
            raise ServerLost(timed_out=True) from None
        except StreamClosed:
            self.lost = True
            raise ServerLost(timed_out=False) from None

    async def _drain_by_rate(self) -> None:
        stream, loop = self.stream, current()
        most, rate = stream.timeout, self._min_data_rate
        unsent, since = stream.unsent, loop.now

        def account() -> None:
            nonlocal unsent, since
            sent, waited = unsent - stream.unsent, loop.now - since
            self._allowance = min(self._allowance - waited + sent / rate, most)
            unsent, since = unsent - sent, since + waited
            stream.until = since + max(self._allowance, 0.0)

        await stream.drain(account)
        account()

    @property
    def idle_and_alive(self) -> bool:
        """Whether the server has said nothing since its last reply, and not left."""
        return not (self.stream.closed or self.stream.peer_left or self.stream.pending or self._reader.ahead)

    def close(self) -> None:
        """Send what waits, as far as the kernel takes it, and close."""
        self.stream.close()
