"""One SMTP session, from greeting to goodbye.

Source: RFC 5321; smtpd(8).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Final, NoReturn

from pyfix.access.judge import judge_client
from pyfix.access.transaction import Client, Transaction
from pyfix.access.verdict import Reject
from pyfix.clients.cleanup import NewMessage
from pyfix.daemons.smtpd import limits, rights
from pyfix.daemons.smtpd.chunking import Chunks
from pyfix.daemons.smtpd.commands import COMMANDS, Command
from pyfix.daemons.smtpd.footer import finished_reply
from pyfix.daemons.smtpd.rights import SessionEnds, is_listed
from pyfix.daemons.smtpd.server import Server
from pyfix.daemons.smtpd.transcript import CLIENT, SERVER, Transcript
from pyfix.formats.textforms import escape, printable
from pyfix.protocols.smtp.command import BadSyntax, Word, command_text, is_header_name, split_words
from pyfix.protocols.smtp.parameters import MailParameters
from pyfix.protocols.smtp.reply import encode_reply
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import sleep
from pyfix.tables.table import TableError

__all__ = ["Session", "SessionEnds"]

_NOTHING_SAID: Final = MailParameters()
_NOTHING_FORWARDED: Final[Mapping[str, str | None]] = MappingProxyType({})
_UNKNOWN_COMMAND: Final = "500 5.5.2 Error: command not recognized"
_BAD_SYNTAX: Final = "500 5.5.2 Error: bad syntax"
_FORBIDDEN: Final = "221 2.7.0 Error: I can break rules, too. Goodbye."
_OUT_OF_STEP: Final = "554 5.5.0 Error: SMTP protocol synchronization"
_ORDER: Final = (
    "helo", "ehlo", "xclient", "xforward", "starttls", "auth", "mail", "rcpt", "data", "bdat", "rset", "noop",
    "vrfy", "etrn", "quit", "help", "unknown",
)  # fmt: skip
"""The order of the counters in the line that a session leaves in the log."""
_RANK: Final = {name: rank for rank, name in enumerate(_ORDER)}


def _beginning(text: str) -> str:
    return text.encode("utf-8", "surrogateescape")[:100].decode("utf-8", "surrogateescape")


def _by_rank(count: tuple[str, list[int]]) -> int:
    return _RANK[count[0]]


class Session:
    """The state of one session; the commands are functions of the other modules here."""

    # What a session begins with is here, so that a short one need not set it; what each command looks at is below.
    junk = 0
    bare_newline_seen = False
    reason = ""
    """Why the session ended early, in the words of the log."""
    esmtp = False
    """EHLO was said: the client may send commands in groups."""
    out_of_step_seen = False
    may_xclient = False
    may_xforward = False
    unknown_rights: Set[str] = frozenset()
    """What the lists of clients could not tell: keywords of EHLO, and empty for those that are not offered."""
    forwarded: Mapping[str, str | None] = _NOTHING_FORWARDED
    """What XFORWARD said; None for what it said to be unavailable."""
    message: NewMessage | None = None
    mail = _NOTHING_SAID
    """The parameters of MAIL."""
    rewrites_locally = False
    """What local_header_rewrite_clients says of the client of this transaction."""
    arrival = 0.0
    announced_size = 0
    """What SIZE said last, in bytes."""
    recipients_seen = 0
    """Recipients that were refused for their number."""
    refused = False
    """A restriction, and not the client's manners, refused this command."""
    deaf = False
    """The client sent too much that nobody wanted; what else it sends is not read, as if it had left."""
    debug_level = 0
    counted = ""
    """What anvil(8) knows this client as; empty when it does not count it."""
    _time_left = 0.0

    def __init__(self, server: Server, stream: Stream, client: Client) -> None:
        self.server = server
        self.settings = server.settings
        self.stream = stream
        self.client = client
        self.transaction = Transaction(server.policy, client)
        self.counts: dict[str, list[int]] = {}
        self.buffer = b""
        self.errors = 0
        self.leaving = False
        self.access_denied = False
        self.where_detail = ""
        self.chunks: Chunks | None = None
        """The message that comes by BDAT, if one does."""
        self.discarded = server.discarded
        self.newline_mode = server.bare_newline
        self.transcript: Transcript | None = Transcript() if server.notify_classes else None

    # The session as a whole

    async def run(self) -> None:
        """Serve the client until it leaves or must leave."""
        log.info(f"connect from {self.client.log_name}")
        await self._begin_debugging()
        try:
            await rights.learn(self)
            self.stream.timeout = self.settings.smtpd_timeout
            await self.greet()
            await self._serve()
        except SessionEnds:
            pass
        except StreamTimeout:
            self.reason = "timeout"
            self.reply(f"421 4.4.2 {self.server.hostname} Error: timeout exceeded")
        except StreamClosed:
            self.reason = "lost connection"
        finally:
            await limits.leaves(self)
            self._log_reason()
            if self.transcript is not None:
                self.transcript.may_end(self.server, self.client.log_name, self.reason, always=True)
            self.forget_message()
            log.info(f"disconnect from {self.client.log_name} {self._counters()}")
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
        if not self.buffer and not self.deaf:
            self.buffer = self.stream.read_now() or b""
        self.check_step(self.transaction.where, True)
        if self.server.counts_clients and not self.may_xclient and not await limits.admitted(self):
            raise SessionEnds
        if not self.settings.smtpd_delay_reject and not self.server.stand_alone:
            refusal = await judge_client(self.transaction)
            if refusal is not None:
                self.access_denied = True
                self.refuse(refusal)
                self.errors += 1
                return
        self.reply(self.server.banner)

    async def _begin_debugging(self) -> None:
        peers = self.server.debug_peers
        if peers and await is_listed(peers.ask_client(self.client.name, self.client.address)):
            self.debug_level = self.settings.debug_peer_level
            log.verbosity += self.debug_level

    def _counters(self) -> str:
        counts = self.counts
        parts = [
            f"{name}={done}" if done == tried else f"{name}={done}/{tried}"
            for name, (done, tried) in sorted(counts.items(), key=_by_rank)
        ]
        good, total = map(sum, zip([0, 0], *counts.values(), strict=True))
        parts.append(f"commands={good}" if good == total and total else f"commands={good}/{total}")
        if self.bare_newline_seen and self.newline_mode == "note":
            parts.append("notes=bare_lf")
        return " ".join(parts)

    # Replies

    def reply(self, text: str) -> None:
        """Write a reply; it leaves when the client's next bytes are waited for."""
        if text >= "4":  # it refuses
            text = finished_reply(self, text)
            if text.startswith(("421", "521")):
                self.leaving = True
        if log.verbosity:
            for line in text.split("\n"):
                log.debug(f"> {self.client.log_name}: {line}")
        if self.transcript is not None:
            self.transcript.lines.append(SERVER + text)
        self.stream.write(encode_reply(text))

    def send_early(self) -> None:
        """Let the replies leave now if the client waits for them, and nobody else is there."""
        if not self.buffer and not self.stream.readable:
            self.stream.send_early()

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
        if self.deaf:
            raise StreamClosed("the rest is not read")
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

    def _take_line(self) -> bytes | None:
        """Return the next line without its end, cut when it is too long; None while its end is not there."""
        buffer = self.buffer
        end = buffer.find(b"\n")
        if end < 0:
            return None
        self.buffer = buffer[end + 1 :]
        limit = self.server.line_limit
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

    async def _wait_for_line(self) -> bytes:
        """Return the next line, as _take_line does."""
        if self.deaf:
            raise StreamClosed("the rest is not read")
        limit = self.server.line_limit
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
            line = self._take_line()
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

    async def _leave_for_errors(self) -> NoReturn:
        """Raises SessionEnds."""
        await self.slow_down()
        self.reason = "too many errors"
        self.reply(f"421 4.7.0 {self.server.hostname} Error: too many errors")
        raise SessionEnds

    async def _serve(self) -> None:
        """Carry out the client's commands until it leaves.  Raises SessionEnds, StreamClosed, StreamTimeout."""
        server = self.server
        while not self.leaving:
            if self.errors >= server.hard_limit:
                await self._leave_for_errors()
            raw = self._take_line() if self.buffer else None
            if raw is None:
                raw = await self._wait_for_line()
            if self.errors and self.errors >= server.soft_limit:
                await self.slow_down()
            try:
                line = command_text(raw, utf8=server.utf8)
            except BadSyntax as error:
                self._count_unknown(f"500 5.5.2 Error: {error}")
                continue
            if log.verbosity:
                log.debug(f"< {self.client.log_name}: {line}")
            if self.transcript is not None:
                self.transcript.lines.append(CLIENT + line)
                self.refused = False
            if server.has_command_filter:
                line = await self._filtered(line)
            words = split_words(line)
            if not words:
                self._count_unknown(_BAD_SYNTAX)
                continue
            verb = words[0].text.upper()
            if server.has_noop_commands and await is_listed(server.noop_commands.ask_string(verb)):
                self.reply("250 2.0.0 Ok")
                self._count_junk()
                continue
            command = COMMANDS.get(verb)
            if command is None:
                await self._unknown(words[0], line)
            else:
                await self._carry_out(command, verb, words, line)

    async def _carry_out(self, command: Command, verb: str, words: list[Word], line: str) -> None:
        count = self.counts.get(command.counter)
        if count is None:
            count = self.counts[command.counter] = [0, 0]
        count[1] += 1
        if self.access_denied and verb != "QUIT":
            self.reply(f"503 5.7.0 Error: access denied for {self.client.log_name}")
            self.errors += 1
            return
        transaction = self.transaction
        transaction.where = verb
        self.where_detail = ""
        if self.buffer or self.stream.readable:
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
        if not must_wait or self.out_of_step_seen or self.server.stand_alone or self.deaf:
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
            value = await self.server.command_filter.find(line) if line else await self._asked_about_nothing()
        except TableError:
            rights.leave_for_lack_of_data(self)
        if value is not None:
            log.info(f'{self.client.log_name}: replacing command "{_beginning(line)}" with "{_beginning(value)}"')
            return value
        return line

    async def _asked_about_nothing(self) -> str | None:
        """Ask smtpd_command_filter about an empty line, which other lists of tables are never asked about."""
        for table in self.server.command_filter.tables:
            if (value := await table.find("")) is not None:
                return value
        return None

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

    async def _unknown(self, verb: Word, line: str) -> None:
        count = self.counts.setdefault("unknown", [0, 0])
        self.transaction.where = "UNKNOWN"
        self.where_detail = ""
        forbidden = self.server.forbidden_commands
        if is_header_name(verb.text) or (forbidden and await is_listed(forbidden.ask_string(verb.text))):
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
        self.transaction.sasl_sender = None
        self.mail = _NOTHING_SAID
        self.forwarded = _NOTHING_FORWARDED
        self.chunks = None
        self.announced_size = 0
        self.recipients_seen = 0
        self.where_detail = ""
        if self.transcript is not None:
            self.transcript.may_end(self.server, self.client.log_name)


