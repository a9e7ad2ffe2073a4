"""A filter before the queue: smtpd talks SMTP with it while the client waits, and gives its verdict on.

Source: SMTPD_PROXY_README; postconf(5) smtpd_proxy_filter, smtpd_proxy_ehlo, smtpd_proxy_timeout, smtpd_proxy_options.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final

from pyfix.access.transaction import Transaction
from pyfix.clients.cleanup import NewMessage
from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.formats.records import TEXT, UNTERMINATED, read_records
from pyfix.formats.textforms import printable, xtext_encode
from pyfix.runtime.log import log
from pyfix.runtime.wire import LineTooLong, NotConnected, Wire, WireError, WireTimeout
from pyfix.tables.endpoint import endpoint, inet_endpoint
from pyfix.tables.table import Opening, TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["ProxyFilter", "ProxyMessage", "begun", "forward_recipient", "hand_content_on", "opened", "submit"]

_FAILED: Final = "451 4.3.0 Error: queue file write error"
_UNAVAILABLE: Final = "[UNAVAILABLE]"
_MOST_REPLY: Final = 100_000
_SOME: Final = 65536
"""Bytes of content that are gathered before they are sent on."""
_LONGEST_COMMAND: Final = 512
_REPLY: Final = re.compile(r"[0-9]{3}(?:[ -]|$)")


class ProxyFilter:
    """The filter of one smtpd service."""

    def __init__(self, settings: SmtpdSettings) -> None:
        """Raises ConfigError."""
        self.name: Final = settings.smtpd_proxy_filter
        opening = Opening(settings.snapshot)
        try:
            if self.name.startswith(("unix:", "inet:")):
                self.endpoint, _ = endpoint(self.name, opening)
            else:
                self.endpoint = inet_endpoint(self.name, opening)
        except TableError as error:
            raise ConfigError(str(error)) from None
        self.ehlo: Final = settings.smtpd_proxy_ehlo
        self.timeout: Final = settings.smtpd_proxy_timeout
        for word in settings.smtpd_proxy_options:
            if word != "speed_adjust":
                value = settings.snapshot.value("smtpd_proxy_options")
                raise ConfigError(f'unknown smtpd_proxy_options value "{word}" in "{value}"')
        self.waits_for_all: Final = "speed_adjust" in settings.smtpd_proxy_options
        """The filter is asked when the whole message is there."""


class _Failed(Exception):
    """The filter cannot be talked to any more; the log has it."""


class _Refused(Exception):
    """The filter gave another reply than it should."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply: Final = reply


class ProxyMessage(NewMessage):
    """A message that goes to the filter instead of cleanup(8).  It takes the same records."""

    __slots__ = ("_data", "_file", "_filter", "_half", "_later", "_session", "_wire")

    def __init__(self, session: Session, proxy: ProxyFilter) -> None:
        self.queue_id = ""
        self._session = session
        self._filter = proxy
        self._wire: Wire | None = None
        self._later: list[tuple[str, str]] = []
        """Commands for a filter that is asked in the end."""
        self._data: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._half = False
        """The last line is not at its end."""

    # The dialogue

    async def begin(self) -> str:
        """Introduce client and sender to the filter; return what to tell the client when that fails."""
        if self._filter.waits_for_all:
            return ""
        try:
            await self._introduce()
        except _Refused as refused:
            return refused.reply
        except _Failed:
            return _FAILED
        return ""

    async def tell(self, command: str, expected: str) -> str:
        """Give a command of the client on; return the refusal, if it is one."""
        if self._filter.waits_for_all:
            self._later.append((command, expected))
            return ""
        try:
            await self._ask(command, expected)
        except _Refused as refused:
            return refused.reply
        except _Failed:
            return _FAILED
        return ""

    async def _introduce(self) -> None:
        """Raises _Failed, and _Refused where the filter does not want the sender."""
        from pyfix.runtime.wire_loop import LoopWires  # few sites have such a filter

        proxy = self._filter
        try:
            self._wire = await LoopWires(proxy.endpoint, proxy.timeout, 0, 0).connect()
        except NotConnected as error:
            log.warning(f"connect to proxy filter {proxy.name}: {error}")
            raise _Failed from None
        try:
            await self._expect("connection request", "2")
            offered = await self._ask(f"EHLO {proxy.ehlo}", "2")
            for command in self._client_facts(offered):
                await self._ask(command, "2")
        except _Refused:
            self.cancel()
            raise _Failed from None
        try:
            await self._ask(self._session.mail_line, "2")
        except _Refused:
            self.cancel()
            raise

    def _client_facts(self, offered: list[str]) -> list[str]:
        names: set[str] = set()
        for line in offered[1:]:
            words = line[4:].upper().split()
            if words[:1] == ["XFORWARD"]:
                names.update(words[1:])
        session = self._session
        client, forwarded = session.client, session.forwarded
        known = {
            "NAME": "" if client.name == "unknown" else client.name,
            "ADDR": client.printed_address,
            "PORT": client.port,
            "HELO": session.transaction.helo_name or "",
            "IDENT": "",
            "PROTO": session.transaction.protocol,
            "SOURCE": "LOCAL" if session.rewrites_locally else "REMOTE",
        }
        if forwarded:
            # Of a client that XFORWARD has described nothing is known but what that said.
            known |= dict.fromkeys(("NAME", "ADDR", "PORT", "HELO", "PROTO"), "")
        commands: list[str] = []
        command = "XFORWARD"
        for name, own in known.items():
            if name not in names:
                continue
            value = forwarded.get(name) if name in forwarded else own
            word = f" {name}={xtext_encode(value) if value else _UNAVAILABLE}"
            if len(command) + len(word) > _LONGEST_COMMAND:
                commands.append(command)
                command = "XFORWARD"
            command += word
        return [*commands, command] if command != "XFORWARD" else commands

    async def _ask(self, command: str, expected: str) -> list[str]:
        await self._send(f"{command}\r\n".encode("utf-8", "surrogateescape"))
        return await self._expect(command, expected)

    async def _send(self, data: bytes) -> None:
        if self._wire is None:
            raise _Failed
        try:
            await self._wire.send(data)
        except WireError as error:
            raise self._lost(error) from None

    async def _expect(self, command: str, expected: str) -> list[str]:
        lines = await self._reply()
        if lines[-1][:1] != expected:
            reply = "\r\n".join(lines)
            log.warning(f'proxy {self._filter.name} rejected "{command}": "{reply}"')
            raise _Refused("\n".join(lines))
        return lines

    async def _reply(self) -> list[str]:
        if self._wire is None:
            raise _Failed
        lines: list[str] = []
        while True:
            try:
                line = (await self._wire.line(_MOST_REPLY)).rstrip(b"\r").decode("utf-8", "surrogateescape")
            except WireError as error:
                raise self._lost(error) from None
            if _REPLY.match(line) is None:
                log.warning(f"received garbage from proxy {self._filter.name}: {line[:100]}")
                continue
            lines.append(line)
            if line[3:4] != "-":
                return lines

    def _lost(self, error: WireError) -> _Failed:
        if isinstance(error, WireTimeout | LineTooLong):
            log.warning(f"timeout talking to proxy {self._filter.name}")
        else:
            log.warning(f"lost connection with proxy {self._filter.name}")
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        return _Failed()

    # The content

    def write(self, records: bytes) -> None:
        """Add the text among some records."""
        for record in read_records(records):
            if record.kind in (TEXT, UNTERMINATED):
                text = record.data
                if not self._half and text.startswith(b"."):
                    text = b"." + text
                self._half = record.kind == UNTERMINATED
                self._data.append(text if self._half else text + b"\r\n")

    async def relieve(self) -> None:
        """Send what has gathered, or put it aside; a filter that is gone is told of at the end."""
        if sum(map(len, self._data)) < _SOME:
            return
        if self._filter.waits_for_all:
            if self._file is None:
                import tempfile  # a megabyte that only smtpd_proxy_options = speed_adjust needs

                self._file = tempfile.TemporaryFile(dir="incoming")  # noqa: SIM115  # it lives as long as the message
            self._file.write(b"".join(self._data))
            self._data.clear()
            return
        await self._pass_on()

    async def pass_on(self) -> None:
        """Send what has gathered to a filter that does not wait for all of it."""
        if not self._filter.waits_for_all:
            await self._pass_on()

    async def _pass_on(self) -> None:
        data = b"".join(self._data)
        self._data.clear()
        if data and self._wire is not None:
            try:
                await self._send(data)
            except _Failed:
                self._wire = None

    def send_early(self) -> None:
        """Nothing: what has gathered goes on when there is some."""

    async def end(self) -> tuple[bool, str]:
        """Finish the content; return whether the filter takes the message, and what it says."""
        try:
            if self._filter.waits_for_all:
                await self._introduce()
                for command, expected in self._later:
                    await self._ask(command, expected)
                if self._file is not None:
                    self._file.seek(0)
                    while block := self._file.read(_SOME):
                        await self._send(block)
            await self._pass_on()
            await self._send(b"\r\n.\r\n" if self._half else b".\r\n")
            lines = await self._reply()
        except _Refused as refused:
            return False, refused.reply
        except _Failed:
            return False, _FAILED
        finally:
            if self._file is not None:
                self._file.close()
        return lines[-1][:1] == "2", "\n".join(lines)

    def cancel(self) -> None:
        """Take leave of the filter."""
        if self._wire is not None:
            wire, self._wire = self._wire, None
            wire.leave(b"QUIT\r\n")
        if self._file is not None:
            self._file.close()


async def opened(session: Session, proxy: ProxyFilter) -> bool:
    """Open the message at the filter; on failure reply, and tell so."""
    new = ProxyMessage(session, proxy)
    refusal = await new.begin()
    if refusal:
        session.reply(refusal)
        return False
    session.message = new
    return True


async def forward_recipient(session: Session, line: str) -> bool:
    """Give RCPT on to the filter; on refusal reply, and tell so."""
    new = session.message
    assert isinstance(new, ProxyMessage)
    refusal = await new.tell(line, "2")
    if refusal:
        session.reply(refusal)
    return not refusal


async def begun(session: Session) -> str:
    """Give DATA on to the filter; return the refusal, if it is one."""
    new = session.message
    assert isinstance(new, ProxyMessage)
    return await new.tell("DATA", "3")


def _facts(transaction: Transaction) -> str:
    shown = transaction.policy.log_form
    facts = [f"from=<{shown(transaction.sender or '')}>"]
    if transaction.recipient is not None:
        facts.append(f"to=<{shown(transaction.recipient)}>")
    facts.append(f"proto={transaction.protocol}")
    if transaction.helo_name is not None:
        facts.append(f"helo=<{transaction.helo_name}>")
    if transaction.sasl_username:
        facts.append(f"sasl_username=<{transaction.sasl_username}>")
    return " ".join(facts)


async def hand_content_on(session: Session) -> None:
    """Let the filter have all of the content but its end, which waits for the last restrictions."""
    assert isinstance(session.message, ProxyMessage)
    await session.message.pass_on()


async def submit(session: Session) -> bool:
    """Finish a message at the filter, and give its reply on."""
    new = session.message
    assert isinstance(new, ProxyMessage)
    taken, reply = await new.end()
    new.cancel()
    session.message = None
    transaction = session.transaction
    shown = printable(reply.replace("\n", "\r\n"))
    verdict = "accept" if taken else "reject"
    log.info(f"proxy-{verdict}: {transaction.where}: {shown}; {_facts(transaction)}")
    if taken:
        session.forgive()
    session.reply(reply)
    return taken
