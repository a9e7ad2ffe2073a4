"""What restrictions may look at: the client, its session, and the message that it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.access.verdict import Reject
from pyfix.formats.address import internal_to_external
from pyfix.formats.domain import is_ipv6
from pyfix.protocols.internal.rewrite import FAIL, ResolveReply
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tls.facts import TlsFacts

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy

__all__ = ["UNKNOWN", "Client", "LookupFailed", "Transaction"]

UNKNOWN: Final = "unknown"

NAME_OK: Final = 2
NAME_TEMPORARY: Final = 4
NAME_PERMANENT: Final = 5
NAME_FORGED: Final = 6


class LookupFailed(Exception):
    """An answer that a restriction needs can't be had now; *reject* is what to say."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.text)
        self.reject = reject


class Client:
    """The SMTP client: its address and what the DNS says about it."""

    __slots__ = (
        "address", "connected_from", "family", "log_name", "name", "name_status", "port", "printed_address",
        "reverse_name", "reverse_status", "server_address", "server_port",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        address: str,
        port: str,
        *,
        reverse_name: str = UNKNOWN,
        family: int = 2,
        server_address: str = "",
        server_port: str = "",
        name_status: int = NAME_OK,
        reverse_status: int = NAME_OK,
        log_port: bool = False,
    ) -> None:
        self.name = name
        """Host name; UNKNOWN when the address has none or it does not lead back to the address."""
        self.reverse_name = reverse_name
        """Host name of the address, whether or not it leads back."""
        self.address = address
        self.connected_from = address
        """Where the connection really comes from: XCLIENT does not change it."""
        self.port = port
        self.family = family
        self.server_address = server_address
        self.server_port = server_port
        self.name_status = name_status
        self.reverse_status = reverse_status
        self.describe(log_port)

    def describe(self, log_port: bool = False) -> None:
        """Work out the forms for the log again, after a change."""
        self.log_name = f"{self.name}[{self.address}]"
        if log_port:
            self.log_name += f":{self.port}"
        self.printed_address = f"IPv6:{self.address}" if is_ipv6(self.address) else self.address


class Transaction:
    """A session and the mail transaction in it, as restrictions see them."""

    __slots__ = (
        "accepted", "bcc", "began", "client", "client_deferral", "defer_if_permit", "discard", "entry", "etrn_domain",
        "filter", "flags", "hangup", "helo_deferral", "helo_name", "hold", "ill_pipelining", "instance", "policy",
        "prepend", "protocol", "queue_id", "recipient", "recipient_checked", "redirect", "sasl_method", "sasl_sender",
        "sasl_username", "sender", "sender_checked", "size", "smtputf8", "tls", "where",
    )  # fmt: skip

    def __init__(self, policy: AccessPolicy, client: Client) -> None:
        self.policy: Final = policy
        self.client = client
        self.helo_name: str | None = None
        self.protocol = "SMTP"
        self.where = "CONNECT"
        """The command that is being served, in the words of the log."""
        self.entry: tuple[str, str, str] | None = None
        """The last entry of an access table that was gone by: table, key, value."""
        self.sasl_method = ""
        self.sasl_username = ""
        self.sasl_sender: str | None = None
        """What AUTH= of MAIL said; it outlives a MAIL that is refused."""
        self.tls: TlsFacts | None = None
        """What is known of the session's encryption and the client's certificate; None without TLS."""
        self.size = 0
        """Bytes: what MAIL announced, also one that was refused; in the end what came."""
        self.ill_pipelining = False
        self.hangup = False
        """Disconnect after this command: an access table said so."""
        self.etrn_domain = ""
        self.client_deferral: Reject | None = None
        """What DeferIfPermit said when the client was judged; it holds for the session."""
        self.helo_deferral: Reject | None = None
        """The same, after HELO."""
        self.forget_mail()

    def forget_mail(self) -> None:
        """Begin without a sender, as after RSET."""
        self.sender: str | None = None
        self.recipient: str | None = None
        self.queue_id = ""
        self.began = 0.0
        """When MAIL was accepted: seconds of the clock."""
        self.instance = ""
        """What policy services tell this message from others by; made when one is asked."""
        self.accepted = 0
        """Recipients that were accepted so far."""
        self.smtputf8 = False
        """The client says that names and addresses may be Unicode."""
        self.sender_checked = False
        self.recipient_checked = False
        self.defer_if_permit: Reject | None = self.helo_deferral
        # What access tables ordered for this message.
        self.discard = False
        self.hold = False
        self.filter = ""
        self.redirect = ""
        self.bcc: list[str] = []
        self.prepend: list[str] = []

    # Answers from elsewhere

    async def resolve(self, address: str) -> ResolveReply:
        """Return where mail for *address* goes.  Raises LookupFailed."""
        sender = self.sender or ""
        reply = self.policy.resolver.remembered(sender, address)
        if reply is None:
            try:
                reply = await self.policy.resolver.resolve(sender, address)
            except ServiceError:
                raise self.lookup_failed(address) from None
        if reply.resolve_flags & FAIL:
            raise self.lookup_failed(address)
        return reply

    @staticmethod
    def lookup_failed(address: str) -> LookupFailed:
        """Return what to raise when nothing is known about *address* for the moment."""
        return LookupFailed(Reject(451, "4.3.0", f"<{address}>: Temporary lookup failure", "resource"))

    # The log

    def log_action(self, action: str, text: str) -> None:
        """Log what is done with the request: ``NOQUEUE: reject: RCPT from name[address]: text; from=...``."""
        line = [
            f"{self.queue_id or 'NOQUEUE'}: {action}: {self.where} from {self.client.log_name}: {text};",
        ]
        if self.sender is not None:
            line.append(f"from=<{self.policy.log_form(self.sender)}>")
        if self.recipient is not None:
            line.append(f"to=<{self.policy.log_form(self.recipient)}>")
        line.append(f"proto={self.protocol}")
        if self.helo_name is not None:
            line.append(f"helo=<{self.helo_name}>")
        if self.sasl_method:
            line.append(f"sasl_method={self.sasl_method}")
        if self.sasl_username:
            line.append(f"sasl_username={self.sasl_username}")
        if self.sasl_sender is not None:
            line.append(f"sasl_sender={self.sasl_sender}")
        log.info(" ".join(line))


def external_form(address: str) -> str:
    """Return *address* as the log has it by default.  Source: postconf(5) info_log_address_format."""
    return internal_to_external(address) if address else ""
