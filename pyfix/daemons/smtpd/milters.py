"""The milters of a session: told of its events, and what their answers mean for the client.

Source: MILTER_README; postconf(5) smtpd_milters, smtpd_milter_maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pyfix.access.transaction import NAME_FORGED, NAME_OK, NAME_TEMPORARY, LookupFailed
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words
from pyfix.content.milter_connection import Milter
from pyfix.content.milter_handover import hand_over
from pyfix.content.milter_macros import macro_defaults, macro_lists
from pyfix.content.milter_settings import MilterSpec, parse_milters
from pyfix.content.milters import Milters
from pyfix.formats.status import split_status
from pyfix.protocols.milter.verdict import Discard, Hold, ShutDown, Verdict
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.access.verdict import Reject
    from pyfix.config.parameters.smtpd import SmtpdSettings
    from pyfix.daemons.smtpd.session import Session
    from pyfix.tls.facts import TlsFacts

__all__ = ["MilterSetup", "SessionMilters"]

_DISABLE: Final = "DISABLE"
_CLOSING: Final = "421 4.7.0 Server closing connection"
_RESOLVED: Final = {NAME_OK: "OK", NAME_FORGED: "FORGED", NAME_TEMPORARY: "TEMP"}
_NOT_RESOLVED: Final = "FAIL"


class MilterSetup:
    """What main.cf says of milters."""

    def __init__(self, settings: SmtpdSettings) -> None:
        """Raises ConfigError."""
        self.settings: Final = settings
        self.standard: Final = parse_milters(settings.smtpd_milters, settings)
        self.lists: Final = macro_lists(settings)
        self.defaults: Final = macro_defaults(settings)

    def of(self, session: Session, value: str | None) -> SessionMilters | None:
        """Return the milters of a client of whom smtpd_milter_maps say *value*; None when there are none."""
        specs = self.standard
        if value is not None:
            if value.upper() == _DISABLE:
                return None
            try:
                specs = parse_milters(split_words(value), self.settings)
            except ConfigError as error:
                log.warning(str(error))
        return SessionMilters(session, self, specs) if specs else None


class SessionMilters:
    """The milters of one session."""

    __slots__ = ("_milters", "_refusal", "_session")

    def __init__(self, session: Session, setup: MilterSetup, specs: Sequence[MilterSpec]) -> None:
        self._session = session
        self._refusal: Reject | None = None
        """Why the recipient is refused that the milters hear of."""
        self._milters = Milters([Milter(spec) for spec in specs], setup.lists, setup.defaults, self._macro)

    # Macros

    def _macro(self, name: str) -> str | None:
        session = self._session
        client = session.client
        settings = session.settings
        match name:
            case "{j}":
                return settings.myhostname
            case "{v}":
                return settings.milter_macro_v
            case "{_}":
                forged = "" if client.name.lower() == client.reverse_name.lower() else " (may be forged)"
                return f"{client.reverse_name} [{client.address}]{forged}"
            case "{i}":
                return session.transaction.queue_id or None
            case "{daemon_name}":
                return settings.milter_macro_daemon_name
            case "{daemon_addr}":
                return client.server_address
            case "{daemon_port}":
                return client.server_port
            case "{client_addr}":
                return client.printed_address
            case "{client_connections}":
                return str(session.connections)
            case "{client_name}":
                return client.name
            case "{client_port}":
                return client.port
            case "{client_ptr}":
                return client.reverse_name
            case "{client_resolve}":
                return _RESOLVED.get(client.name_status, _NOT_RESOLVED)
        return self._envelope_macro(name)

    def _envelope_macro(self, name: str) -> str | None:
        transaction = self._session.transaction
        match name:
            case "{tls_version}" | "{cipher}" | "{cipher_bits}" | "{cert_subject}" | "{cert_issuer}":
                return None if transaction.tls is None else _tls_macro(transaction.tls, name)
            case "{auth_type}":
                return transaction.sasl_method or None
            case "{auth_authen}":
                return transaction.sasl_username or None
            case "{auth_author}":
                return transaction.sasl_sender
            case "{mail_addr}":
                return self._route(transaction.sender, name) if transaction.sender else transaction.sender
            case "{mail_host}" | "{mail_mailer}":
                return self._route(transaction.sender, name)
            case "{rcpt_addr}" | "{rcpt_host}" | "{rcpt_mailer}":
                if self._refusal is not None:
                    return _refused_macro(self._refusal, name)
                return self._route(transaction.recipient, name)
        return None

    def _route(self, address: str | None, name: str) -> str | None:
        """Return where mail for *address* goes, or how, or what it is called there."""
        if address is None:
            return None
        sender = self._session.transaction.sender or ""
        found = self._session.server.resolver.remembered("" if name.startswith("{mail") else sender, address)
        if found is None:
            return address if name.endswith("addr}") else None
        if name.endswith("addr}"):
            return found.recipient
        return found.nexthop if name.endswith("host}") else found.transport

    async def _learn(self, address: str | None) -> None:
        """Find out where mail for *address* goes, as macros may tell."""
        if address is not None:
            try:
                await self._session.transaction.resolve(address)
            except LookupFailed:
                return

    # What milters say

    def _act(self, verdict: Verdict | None) -> str:
        """Note and log what milters say; return a reply that refuses, or nothing."""
        if verdict is None:
            return ""
        transaction = self._session.transaction
        match verdict:
            case Hold():
                if not transaction.hold:
                    transaction.hold = True
                    transaction.log_action("milter-hold", verdict.reason or "milter triggers HOLD action")
                return ""
            case Discard():
                transaction.discard = True
                transaction.log_action("milter-discard", "milter triggers DISCARD action")
                return ""
            case ShutDown():
                reply = _CLOSING
            case _:
                reply = verdict.reply
        self._session.blame("policy")
        transaction.log_action("milter-reject", reply)
        return reply.replace("\r\n", "\n")

    # Events

    async def connect(self) -> str:
        """Tell who the client is; return a reply that refuses, or nothing."""
        client = self._session.client
        name = f"[{client.address}]" if client.name == "unknown" else client.name
        return self._act(await self._milters.connect(name, client.family, client.address, client.port))

    async def helo(self, name: str) -> str:
        """Tell what the client calls itself."""
        transaction = self._session.transaction
        before, transaction.helo_name = transaction.helo_name, name
        reply = self._act(await self._milters.helo(name))
        transaction.helo_name = before
        return reply

    async def mail(self, words: Sequence[str]) -> str:
        """Tell the sender and the parameters of MAIL."""
        if self._session.transaction.discard:
            return ""
        await self._learn(self._session.transaction.sender)
        return self._act(await self._milters.mail(words))

    async def rcpt(self, words: Sequence[str], refusal: Reject | None) -> str:
        """Tell a recipient and the parameters of RCPT, and whether it is refused already."""
        if self._session.transaction.discard:
            return ""
        if refusal is not None:
            self._refusal = refusal
            await self._milters.rcpt(words, refused=True)
            self._refusal = None
            return ""
        await self._learn(self._session.transaction.recipient)
        return self._act(await self._milters.rcpt(words))

    async def data(self) -> str:
        """Tell that the content begins."""
        if self._session.transaction.discard:
            return ""
        return self._act(await self._milters.data())

    async def unknown(self, line: str) -> str:
        """Tell of a command that nobody knows; return the reply when it is not the usual one."""
        verdict = await self._milters.unknown(line)
        reply = "" if verdict is None or isinstance(verdict, Hold | Discard | ShutDown) else verdict.reply
        return reply.replace("\r\n", "\n") if reply.startswith("4") else ""

    @property
    def refusal_of_command(self) -> str:
        """The reply to AUTH and STARTTLS of a client that was refused when it came, or nothing."""
        standing = self.standing_refusal
        return standing if standing.startswith("5") else "454 4.3.0 Try again later" if standing else ""

    @property
    def standing_refusal(self) -> str:
        """The reply to other commands of a client that was refused when it came, or nothing."""
        for milter in self._milters.members:
            verdict = milter.machine.verdict
            if verdict is not None and not isinstance(verdict, Hold | Discard):
                return _CLOSING if isinstance(verdict, ShutDown) else verdict.reply.replace("\r\n", "\n")
        return ""

    async def pass_on(self) -> bool:
        """Give the milters to cleanup(8) for the content; tell whether it has them."""
        session = self._session
        assert session.message is not None
        return await hand_over(session.message, self._milters, f"public/{session.settings.cleanup_service_name}")

    def abort(self) -> None:
        """Tell that the message is over, or is not to be."""
        self._milters.abort()

    def leave(self) -> None:
        """End all conversations."""
        self._milters.quit()


def _tls_macro(facts: TlsFacts, name: str) -> str | None:
    certificate = facts.certificate
    match name:
        case "{tls_version}":
            return facts.protocol
        case "{cipher}":
            return facts.cipher
        case "{cipher_bits}":
            return str(facts.used_bits)
        case "{cert_subject}":
            return None if certificate is None or not facts.trusted else certificate.common_name
        case _:
            return None if certificate is None or not facts.trusted else certificate.issuer_name


def _refused_macro(refusal: Reject, name: str) -> str:
    """Return what milters hear of a recipient that is refused: reason, status, and that it goes nowhere."""
    if name == "{rcpt_mailer}":
        return "error"
    status, text = split_status(refusal.reply[4:], "5.7.1")
    if name == "{rcpt_host}":
        return status
    return text.partition(">: ")[2] if text.startswith("<") and ">: " in text else text
