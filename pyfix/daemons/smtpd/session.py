"""One SMTP session, from greeting to goodbye.

Source: RFC 5321; smtpd(8).
"""

from __future__ import annotations

from typing import Final

from pyfix.access.judge import judge_client
from pyfix.access.transaction import Client, Transaction
from pyfix.access.verdict import Reject
from pyfix.clients.cleanup import NewMessage
from pyfix.daemons.smtpd import limits, rights
from pyfix.daemons.smtpd.chunking import Chunks
from pyfix.daemons.smtpd.commands import COMMANDS
from pyfix.daemons.smtpd.footer import finished_reply
from pyfix.daemons.smtpd.rights import SessionEnds, is_listed
from pyfix.daemons.smtpd.server import Server
from pyfix.daemons.smtpd.transcript import Transcript
from pyfix.formats.textforms import escape
from pyfix.protocols.smtp.command import BadSyntax, Word, command_text, is_header_name, split_words
from pyfix.protocols.smtp.parameters import MailParameters
from pyfix.protocols.smtp.reply import encode_reply, is_failure
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import sleep
from pyfix.tables.table import TableError

__all__ = ["Session", "SessionEnds"]

_UNKNOWN_COMMAND: Final = "500 5.5.2 Error: command not recognized"
_BAD_SYNTAX: Final = "500 5.5.2 Error: bad syntax"
_FORBIDDEN: Final = "221 2.7.0 Error: I can break rules, too. Goodbye."
_OUT_OF_STEP: Final = "554 5.5.0 Error: SMTP protocol synchronization"
_ORDER: Final = (
    "helo", "ehlo", "xclient", "xforward", "starttls", "auth", "mail", "rcpt", "data", "bdat", "rset", "noop",
    "vrfy", "etrn", "quit", "help", "unknown",
)  # fmt: skip
"""The order of the counters in the line that a session leaves in the log."""


class Session:
    """The state of one session; the commands are functions of the other modules here."""

    def __init__(self, server: Server, stream: Stream, client: Client) -> None:
        self.server = server
        self.settings = server.settings
        self.stream = stream
        self.client = client
        self.transaction = Transaction(server.policy, client)
        self.buffer = b""
        self.counts: dict[str, list[int]] = {}
        self.errors = 0
        self.junk = 0
        self.bare_newline_seen = False
        self.reason = ""
        """Why the session ended early, in the words of the log."""
        self.where_detail = ""
        self.leaving = False
        self.access_denied = False
        self.esmtp = False
        """EHLO was said: the client may send commands in groups."""
        self.out_of_step_seen = False
        self.discarded = server.discarded
        self.may_xclient = False
        self.may_xforward = False
        self.unknown_rights: set[str] = set()
        """What the lists of clients could not tell: keywords of EHLO, and empty for those that are not offered."""
        self.newline_mode = server.bare_newline
        self.forwarded: dict[str, str] = {}
        """What XFORWARD said."""
        self.message: NewMessage | None = None
        self.mail = MailParameters()
        self.arrival = 0.0
        self.announced_size = 0
        """What SIZE said last, in bytes."""
        self.recipients_seen = 0
        """Recipients that were refused for their number."""
        self.chunks: Chunks | None = None
        """The message that comes by BDAT, if one does."""
        self.refused = False
        """A restriction, and not the client's manners, refused this command."""
        self.debug_level = 0
        self.transcript: Transcript | None = Transcript() if server.notify_classes else None
        self.counted = ""
        """What anvil(8) knows this client as; empty when it does not count it."""
        self._time_left = 0.0

    # The session as a whole

    async def run(self) -> None:
        """Serve the client until it leaves or must leave."""
        log.info(f"connect from {self.client.log_name}")
        self._begin_debugging()
        try:
            rights.learn(self)
            self.stream.timeout = self.settings.smtpd_timeout
            await self.greet()
            while not self.leaving:
                await self._serve_command()
        except SessionEnds:
            pass
        except StreamTimeout:
            self.reason = "timeout"
            self.reply(f"421 4.4.2 {self.server.hostname} Error: timeout exceeded")
        except StreamClosed:
            self.reason = "lost connection"
        finally:
            limits.leaves(self)
            self._log_reason()
            if self.transcript is not None:
                self.transcript.may_end(self.server, self.client.log_name, self.reason, always=True)
            self.forget_message()
            log.info(f"disconnect from {self.client.log_name}{self._counters()}")
            if self.counted:
                limits.gone(self)
            log.verbosity -= self.debug_level
        await self.stream.close_when_sent()

    def _log_reason(self) -> None:
        """Say why the session ended, if it was before its time; leaving after a message without QUIT is not."""
        transaction = self.transaction
        where = transaction.where
        if not self.reason or (where == "END-OF-MESSAGE" and self.reason == "lost connection"):
            return
        queue_id = transaction.queue_id or "NOQUEUE"
        log.info(f"{queue_id}: {self.reason} after {where}{self.where_detail} from {self.client.log_name}")

    @property
    def takes_smtputf8(self) -> bool:
        """Whether SMTPUTF8 is an extension of ours, and this client is told of it."""
        return self.server.utf8 and "smtputf8" not in self.discarded

    async def greet(self) -> None:
        """Let the client in: connection limits, the client restrictions if they are not delayed, then 220.

        Raises SessionEnds for one client too many.
        """
        if self.server.counts_clients and not self.may_xclient and not await limits.admitted(self):
            raise SessionEnds
        if not self.settings.smtpd_delay_reject and not self.server.stand_alone:
            refusal = await judge_client(self.transaction)
            if refusal is not None:
                self.access_denied = True
                self.refuse(refusal)
                self.errors += 1
                return
        if not self.buffer:
            self.buffer = self.stream.read_now() or b""
        self.check_step(self.transaction.where, True)
        self.reply(self.server.banner)

    def _begin_debugging(self) -> None:
        peers = self.server.debug_peers
        if peers and is_listed(peers.matches_client, self.client.name, self.client.address):
            self.debug_level = self.settings.debug_peer_level
            log.verbosity += self.debug_level

    def _counters(self) -> str:
        parts = []
        good = total = 0
        for name in _ORDER:
            count = self.counts.get(name)
            if count is not None:
                done, tried = count
                good += done
                total += tried
                parts.append(f" {name}={done}" if done == tried else f" {name}={done}/{tried}")
        parts.append(f" commands={good}" if good == total and total else f" commands={good}/{total}")
        if self.bare_newline_seen and self.newline_mode == "note":
            parts.append(" notes=bare_lf")
        return "".join(parts)

    # Replies

    def reply(self, text: str) -> None:
        """Write a reply; it leaves when the client's next bytes are waited for."""
        if is_failure(text):
            text = finished_reply(self, text)
            if text.startswith(("421", "521")):
                self.leaving = True
        if log.verbosity:
            for line in text.split("\n"):
                log.debug(f"> {self.client.log_name}: {line}")
        if self.transcript is not None:
            self.transcript.server_said(text)
        self.stream.write(encode_reply(text))

    def refuse(self, refusal: Reject) -> None:
        """Reply what a restriction says; it is logged already."""
        self.blame(refusal.notice)
        if self.transaction.hangup and not refusal.text:
            raise SessionEnds
        self.reply(refusal.reply)

    def blame(self, notice_class: str) -> None:
        """Remember a problem for the postmaster, if there are notices."""
        if self.transcript is not None:
            self.transcript.problems.add(notice_class)
            self.refused = True

    # Commands

    async def read_more(self) -> None:
        """Wait for more of the client's bytes.  Raises StreamClosed at their end, StreamTimeout."""
        data = await self.stream.read()
        if not data:
            raise StreamClosed("end of input")
        self.buffer = self.buffer + data if self.buffer else data

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

    async def _read_line(self) -> bytes:
        """Return the next line without its end; one that is too long is cut."""
        limit = self.server.line_limit
        buffer = self.buffer
        end = buffer.find(b"\n")
        if end < 0:
            self.start_deadline()
            while end < 0:
                if len(buffer) > limit + 2:
                    return await self._skip_long_line(limit)
                await self.read_more()
                buffer = self.buffer
                end = buffer.find(b"\n")
            self.stream.until = 0.0
        self.buffer = buffer[end + 1 :]
        if end > limit:
            self._say_too_long(buffer[:limit], limit)
            return buffer[:limit]
        line = buffer[:end]
        if line.endswith(b"\r"):
            return line[:-1]
        self.bare_newline_seen = True
        if self.newline_mode == "reject":
            self._reject_bare_newline()
        return line

    def _reject_bare_newline(self) -> None:
        code = self.settings.smtpd_forbid_bare_newline_reject_code
        self.transaction.log_action("reject", "bare <LF> received")
        self.reply(f"{code} 5.5.2 {self.server.hostname} Error: bare <LF> received")
        raise SessionEnds

    async def _skip_long_line(self, limit: int) -> bytes:
        line = self.buffer[:limit]
        while (end := self.buffer.find(b"\n")) < 0:
            self.buffer = b""
            await self.read_more()
        self.buffer = self.buffer[end + 1 :]
        self._say_too_long(line, limit)
        return line

    def _say_too_long(self, line: bytes, limit: int) -> None:
        text = line[:30].decode("utf-8", "replace")
        log.warning(f"{self.client.log_name}: request longer than {limit}: {text}...")

    async def _serve_command(self) -> None:
        """Read one command and carry it out."""
        if self.errors >= self.server.hard_limit:
            await self.slow_down()
            self.reason = "too many errors"
            self.reply(f"421 4.7.0 {self.server.hostname} Error: too many errors")
            raise SessionEnds
        raw = await self._read_line()
        if self.errors and self.errors >= self.server.soft_limit:
            await self.slow_down()
        transaction = self.transaction
        try:
            line = command_text(raw, utf8=self.server.utf8)
        except BadSyntax as error:
            self._count_unknown(f"500 5.5.2 Error: {error}")
            return
        if log.verbosity:
            log.debug(f"< {self.client.log_name}: {line}")
        if self.transcript is not None:
            self.transcript.client_said(line)
            self.refused = False
        server = self.server
        if server.has_command_filter:
            line = await self._filtered(line)
        words = split_words(line)
        if not words:
            self._count_unknown(_BAD_SYNTAX)
            return
        verb = words[0].text.upper()
        command = COMMANDS.get(verb)
        if server.has_noop_commands and is_listed(server.noop_commands.matches_string, verb):
            self.reply("250 2.0.0 Ok")
            self._count_junk()
            return
        if command is None:
            self._unknown(words[0], line)
            return
        count = self.counts.get(command.counter)
        if count is None:
            count = self.counts[command.counter] = [0, 0]
        count[1] += 1
        if self.access_denied and verb != "QUIT":
            self.reply(f"503 5.7.0 Error: access denied for {self.client.log_name}")
            self.errors += 1
            return
        transaction.where = verb
        self.where_detail = ""
        if self.buffer or self.stream.pending:
            self.check_step(verb, command.ends_group or not self.esmtp)
        done = await command.serve(self, words, line)
        if done:
            count[0] += 1
        elif done is not None:
            self.errors += 1
            if self.transcript is not None and not self.refused and verb != "XCLIENT":
                self.transcript.problems.add("protocol")
        if transaction.hangup:
            raise SessionEnds
        if command.is_junk:
            self._count_junk()

    async def slow_down(self) -> None:
        """Let a client that made too many errors wait.  Source: postconf(5) smtpd_error_sleep_time."""
        if self.errors >= self.server.soft_limit and self.settings.smtpd_error_sleep_time:
            await self.stream.drain()  # what was replied before is not late
            await sleep(self.settings.smtpd_error_sleep_time)

    def check_step(self, where: str, must_wait: bool) -> None:
        """Notice a client that does not wait for replies where it must.  Raises SessionEnds if that is forbidden."""
        if not must_wait or self.out_of_step_seen or self.server.stand_alone:
            return
        early = self.buffer or self.stream.peek_input()
        if not early:
            return
        self.out_of_step_seen = True
        self.transaction.ill_pipelining = True
        log.info(f"improper command pipelining after {where} from {self.client.log_name}: {escape(early[:100])}")
        if self.settings.smtpd_forbid_unauth_pipelining:
            self.reply(_OUT_OF_STEP)
            raise SessionEnds

    async def _filtered(self, line: str) -> str:
        try:
            value = await self.server.command_filter.find(line)
        except TableError:
            rights.leave_for_lack_of_data(self)
        if value is not None:
            log.info(f'{self.client.log_name}: replacing command "{line[:100]}" with "{value[:100]}"')
            return value
        return line

    def _count_junk(self) -> None:
        self.junk += 1
        if self.junk > self.server.junk_limit + 1:
            self.errors += 1

    def _count_unknown(self, reply: str) -> None:
        count = self.counts.setdefault("unknown", [0, 0])
        count[1] += 1
        self.transaction.where = "UNKNOWN"
        self.where_detail = ""
        if self.transcript is not None:
            self.transcript.problems.add("protocol")
        self.reply(reply)
        self.errors += 1

    def _unknown(self, verb: Word, line: str) -> None:
        count = self.counts.setdefault("unknown", [0, 0])
        self.transaction.where = "UNKNOWN"
        self.where_detail = ""
        forbidden = self.server.forbidden_commands
        if is_header_name(verb.text) or (forbidden and is_listed(forbidden.matches_string, verb.text)):
            count[1] += 1
            shown = escape(line.encode("utf-8", "surrogateescape"))[:100]
            log.warning(f"non-SMTP command from {self.client.log_name}: {shown}")
            self.reply(_FORBIDDEN)
            raise SessionEnds
        count[1] += 1
        if self.access_denied:
            self.reply(f"503 5.7.0 Error: access denied for {self.client.log_name}")
        else:
            self.reply(_UNKNOWN_COMMAND)
        if self.transcript is not None:
            self.transcript.problems.add("protocol")
        self.errors += 1

    # The transaction

    def forget_message(self) -> None:
        """Drop what was begun with cleanup(8), if anything."""
        if self.message is not None:
            self.message.cancel()
            self.message = None
        self.transaction.queue_id = ""

    def reset(self) -> None:
        """Begin without a sender, as RSET, HELO and a finished message do."""
        self.forget_message()
        self.transaction.forget_mail()
        self.mail = MailParameters()
        self.forwarded = {}
        self.chunks = None
        self.announced_size = 0
        self.recipients_seen = 0
        self.where_detail = ""
        if self.transcript is not None:
            self.transcript.may_end(self.server, self.client.log_name)


