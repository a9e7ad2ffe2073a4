"""One SMTP session, from greeting to goodbye.

Source: RFC 5321; smtpd(8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from pyfix.access.judge import judge_client
from pyfix.daemons.smtpd import authentication, encryption, limits, rights
from pyfix.daemons.smtpd.commands import COMMANDS, Command
from pyfix.daemons.smtpd.counters import counters_text
from pyfix.daemons.smtpd.lines import ClientLines
from pyfix.daemons.smtpd.rights import SessionEnds, is_listed
from pyfix.daemons.smtpd.transcript import CLIENT
from pyfix.formats.textforms import beginning, escape
from pyfix.protocols.smtp.command import BadSyntax, Word, command_text, is_header_name, split_words
from pyfix.protocols.smtp.extensions import ALL_BUT_STATUS
from pyfix.runtime.log import log
from pyfix.runtime.stream import StreamClosed, StreamTimeout
from pyfix.runtime.task import sleep
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.milters import SessionMilters

__all__ = ["Session", "SessionEnds"]

_UNKNOWN_COMMAND: Final = "500 5.5.2 Error: command not recognized"
_BAD_SYNTAX: Final = "500 5.5.2 Error: bad syntax"
_FORBIDDEN: Final = "221 2.7.0 Error: I can break rules, too. Goodbye."
_OUT_OF_STEP: Final = "554 5.5.0 Error: SMTP protocol synchronization"


class Session(ClientLines):
    """The whole of a session; the commands are functions of the other modules here."""

    async def run(self) -> None:
        """Serve the client until it leaves or must leave."""
        log.info(f"connect from {self.client.log_name}")
        await self._begin_debugging()
        if self.server.authentication is not None and not await authentication.activate(self):
            await self.stream.close_when_sent()
            return
        try:
            if self.nobody:
                self.reply(f"421 4.3.0 {self.server.hostname} Server local error")
                raise SessionEnds
            await rights.learn(self)
            self.stream.timeout = self.settings.smtpd_timeout
            if self.server.encryption.wrapped:
                await encryption.begin_wrapped(self)
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
            if self._unfinished:
                await self.finish_replies()
            await limits.leaves(self)
            self.leave_milters()
            self._log_reason()
            if self.transcript is not None:
                self.transcript.may_end(self.server, self.client.log_name, self.reason, always=True)
            self.forget_message()
            notes = " notes=bare_lf" if self.bare_newline_seen and self.newline_mode == "note" else ""
            log.info(f"disconnect from {self.client.log_name} {counters_text(self.counts)}{notes}")
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
        if self.milters is not None and await self._milters_refuse(self.milters):
            return
        self.reply(self.server.banner)

    async def _milters_refuse(self, milters: SessionMilters) -> bool:
        """Tell milters who the client is, and reply if they are against it; those who are so later need not."""
        refusal = await milters.connect()
        if refusal.startswith("5"):
            self.discarded = ALL_BUT_STATUS
            self.reply(f"554 {self.server.hostname} ESMTP not accepting connections")
            return True
        if refusal.startswith("421"):
            self.reply(f"421 {self.server.hostname} Service unavailable - try again later")
            return True
        return False

    async def _begin_debugging(self) -> None:
        peers = self.server.debug_peers
        if peers and await is_listed(peers.ask_client(self.client.name, self.client.address)):
            self.debug_level = self.settings.debug_peer_level
            log.verbosity += self.debug_level

    async def _leave_for_errors(self) -> NoReturn:
        """Raises SessionEnds."""
        await self.slow_down()
        self.reason = "too many errors"
        self.reply(f"421 4.7.0 {self.server.hostname} Error: too many errors")
        raise SessionEnds

    async def _serve(self) -> None:
        """Carry out the client's commands until it leaves.  Raises SessionEnds, StreamClosed, StreamTimeout."""
        server = self.server
        while not (self.leaving or (self._unfinished and await self.finish_replies())):
            if self.errors >= server.hard_limit:
                await self._leave_for_errors()
            if self.transcript is not None:
                self.transcript.may_end(server, self.client.log_name)
            raw = self.take_line() if self.buffer else None
            if raw is None:
                raw = await self.wait_for_line()
            if self.errors and self.errors >= server.soft_limit:
                await self.slow_down()
            try:
                line = command_text(raw, utf8=server.utf8)
            except BadSyntax as error:
                self._count_unknown(f"500 5.5.2 Error: {error}")
                continue
            if log.verbosity:
                log.debug(f"< {self.client.log_name}: {authentication.without_secret(line)}")
            if self.transcript is not None:
                self.transcript.lines.append(CLIENT + authentication.without_secret(line))
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
        if self.must_encrypt and not command.before_tls:
            self.reply(encryption.NOT_STARTED)
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
            if self.transcript is not None and not self.refused:
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
            log.info(f'{self.client.log_name}: replacing command "{beginning(line)}" with "{beginning(value)}"')
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
            refusal = "" if self.milters is None else await self.milters.unknown(line)
            self.reply(refusal or _UNKNOWN_COMMAND)
        if self.transcript is not None:
            self.transcript.problems.add("protocol")
        self.errors += 1
