"""Reading a client's lines: how long they may be, how they must end, and by when they must be there.

Source: postconf(5) line_length_limit, smtpd_forbid_bare_newline, smtpd_per_request_deadline, smtpd_min_data_rate.
"""

from __future__ import annotations

from pyfix.daemons.smtpd import authentication
from pyfix.daemons.smtpd.replies import ClientReplies
from pyfix.daemons.smtpd.rights import SessionEnds
from pyfix.daemons.smtpd.transcript import CLIENT
from pyfix.formats.textforms import printable
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.stream import StreamClosed

__all__ = ["ClientLines"]


class ClientLines(ClientReplies):
    """What comes from the client, line by line."""

    async def answer_to(self, challenge: str, limit: int) -> bytes:
        """Say 334 and return the client's next line, of *limit* bytes at most; it is secret.

        Raises StreamClosed, StreamTimeout.
        """
        self.reply(f"334 {challenge}")
        if self._unfinished:
            await self.finish_replies()
        self.line_limit = limit
        try:
            line = self.take_line() if self.buffer else None
            return await self.wait_for_line() if line is None else line
        finally:
            self.line_limit = self.server.line_limit

    def note_secret(self) -> None:
        """Remember that the client has answered, and not what."""
        if log.verbosity:
            log.debug(f"< {self.client.log_name}: {authentication.HIDDEN}")
        if self.transcript is not None:
            self.transcript.lines.append(CLIENT + authentication.HIDDEN)

    async def read_more(self) -> None:
        """Wait for more of the client's bytes.  Raises StreamClosed at their end, StreamTimeout."""
        if self.deaf:
            raise StreamClosed("the rest is not read")
        if self._unfinished:
            await self.finish_replies()
        data = await self.stream.read()
        if not data:
            raise StreamClosed("end of input")
        self.buffer = self.buffer + data if self.buffer else data

    def hears_no_more(self) -> None:
        """Read nothing more of the client's; the session ends as if the client had left after this command."""
        self.buffer = b""
        self.deaf = True

    def start_deadline(self) -> None:
        """Begin a request: with smtpd_per_request_deadline all of it must come within smtpd_timeout."""
        if self.settings.smtpd_per_request_deadline:
            self._time_left = self.settings.smtpd_timeout
            self.stream.until = current().now + self._time_left

    def extend_deadline(self, received: int) -> None:
        """Give a client that sends content at smtpd_min_data_rate more time."""
        if self.settings.smtpd_per_request_deadline:
            now = current().now
            left = self.stream.until - now + received / self.settings.smtpd_min_data_rate
            self.stream.until = now + min(left, self.settings.smtpd_timeout)

    def take_line(self) -> bytes | None:
        """Return the next line without its end, cut when it is too long; None while its end is not there."""
        buffer = self.buffer
        end = buffer.find(b"\n")
        if end < 0:
            return None
        self.buffer = buffer[end + 1 :]
        limit = self.line_limit
        if end > limit:
            if end >= 2 * limit:
                self._give_up_reading()
            return self._shortened(buffer[:limit], limit)
        if buffer.endswith(b"\r", 0, end):
            return buffer[: end - 1] if self.newline_mode != "no" else buffer[:end].rstrip(b"\r")
        self.bare_newline_seen = True
        if self.newline_mode == "reject":
            self._reject_bare_newline()
        return buffer[:end]

    async def wait_for_line(self) -> bytes:
        """Return the next line, as take_line does."""
        if self.deaf:
            raise StreamClosed("the rest is not read")
        limit = self.line_limit
        stream = self.stream
        self.start_deadline()
        while len(self.buffer) <= limit + 2:
            data = stream.begin_read()
            if data is None:
                await stream
                data = stream.received()
            if not data:
                raise StreamClosed("end of input")
            self.buffer = self.buffer + data if self.buffer else data
            line = self.take_line()
            if line is not None:
                stream.until = 0.0
                return line
        return await self._skip_long_line(limit)

    def _reject_bare_newline(self) -> None:
        code = self.settings.smtpd_forbid_bare_newline_reject_code
        self.transaction.log_action("reject", "bare <LF> received")
        self.reply(f"{code} 5.5.2 {self.server.hostname} Error: bare <LF> received")
        raise SessionEnds

    async def _skip_long_line(self, limit: int) -> bytes:
        """Read the rest of a line, but no more than as much again as a line may have."""
        most = 2 * limit
        while (end := self.buffer.find(b"\n", 0, most)) < 0 and len(self.buffer) < most:
            await self.read_more()
        line = self.buffer[:limit]
        if end < 0:
            self._give_up_reading()
        else:
            self.buffer = self.buffer[end + 1 :]
        return self._shortened(line, limit)

    def _give_up_reading(self) -> None:
        log.warning(f"disabling input from {self.server.service} socket")
        self.hears_no_more()

    def _shortened(self, line: bytes, limit: int) -> bytes:
        """Return the beginning of a line that is too long, printable; say so in the log."""
        text = line.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        shown = printable(text, utf8=self.server.utf8).encode("utf-8")
        begin = shown[:30].decode("utf-8", "surrogateescape")
        log.warning(f"{self.client.log_name}: request longer than {limit}: {printable(begin)}...")
        return shown
