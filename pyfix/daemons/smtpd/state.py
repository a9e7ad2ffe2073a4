"""What a session knows of its client, and of the mail that the client is telling it of.

Source: RFC 5321, 4.1.4; smtpd(8).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pyfix.access.transaction import Client, Transaction
from pyfix.clients.cleanup import NewMessage
from pyfix.daemons.smtpd.authentication import Login
from pyfix.daemons.smtpd.chunking import Chunks
from pyfix.daemons.smtpd.server import Server
from pyfix.daemons.smtpd.transcript import Transcript
from pyfix.protocols.smtp.parameters import MailParameters
from pyfix.runtime.stream import Stream

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.milters import SessionMilters

__all__ = ["SessionState"]

_NOTHING_SAID: Final = MailParameters()
_NOTHING_FORWARDED: Final[Mapping[str, str | None]] = MappingProxyType({})


class SessionState:
    """What is known of one session, and of the mail that is being said in it."""

    # What a session begins with is here, so that a short one need not set it; what each command looks at is below.
    junk = 0
    bare_newline_seen = False
    reason = ""
    """Why the session ended early, in the words of the log."""
    esmtp = False
    """EHLO was said: the client may send commands in groups."""
    out_of_step_seen = False
    nobody = False
    """The proxy before us did not say who the client is, and it must leave."""
    may_xclient = False
    may_xforward = False
    unknown_rights: Set[str] = frozenset()
    """What the lists of clients could not tell: keywords of EHLO, and empty for those that are not offered."""
    forwarded: Mapping[str, str | None] = _NOTHING_FORWARDED
    """What XFORWARD said; None for what it said to be unavailable."""
    message: NewMessage | None = None
    milters: SessionMilters | None = None
    connections = 0
    """How many connections of the client anvil(8) knows of."""
    mail = _NOTHING_SAID
    """The parameters of MAIL."""
    rewrites_locally = False
    """What local_header_rewrite_clients says of the client of this transaction."""
    arrival = 0.0
    mail_line = ""
    """MAIL as the client said it, for a filter before the queue."""
    recipients_seen = 0
    """Recipients that were refused for their number."""
    refused = False
    """A restriction, and not the client's manners, refused this command."""
    deaf = False
    """The client sent too much that nobody wanted; what else it sends is not read, as if it had left."""
    debug_level = 0
    must_encrypt = False
    """The client has to begin with TLS."""
    login: Login | None = None
    """Where the client stands with AUTH; None where that is not enabled."""
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
        self._unfinished: list[tuple[Transaction | None, str]] = []
        """Replies that wait for smtpd_reject_footer_maps and their like, each with the transaction as it was then;
        None: it is no refusal."""
        self.access_denied = False
        self.where_detail = ""
        self.chunks: Chunks | None = None
        """The message that comes by BDAT, if one does."""
        self.discarded = server.discarded
        self.newline_mode = server.bare_newline
        self.line_limit = server.line_limit
        self.transcript: Transcript | None = Transcript() if server.notify_classes else None
        if server.encryption.enforced:
            self.must_encrypt = True

    @property
    def takes_smtputf8(self) -> bool:
        """Whether SMTPUTF8 is an extension of ours, and this client is told of it."""
        return self.server.utf8 and "smtputf8" not in self.discarded

    @property
    def takes_requiretls(self) -> bool:
        """Whether this client is told of REQUIRETLS, which makes sense in an encrypted session only."""
        return (
            self.transaction.tls is not None and self.settings.requiretls_enable and "requiretls" not in self.discarded
        )

    def forget_message(self) -> None:
        """Drop what was begun with cleanup(8), if anything."""
        if self.message is not None:
            self.message.cancel()
            self.message = None
        self.transaction.queue_id = ""

    def forget_mail(self) -> None:
        """Drop the sender; milters hear of that."""
        if self.milters is not None and self.transaction.sender is not None:
            self.milters.abort()
        self.transaction.forget_mail()

    def forget_helo(self) -> None:
        """Let milters hear that the client calls itself something else now, or nothing any more."""
        if self.milters is not None and self.transaction.helo_name is not None:
            self.milters.abort()

    def leave_milters(self) -> None:
        """End the conversations with milters."""
        if self.milters is not None:
            self.forget_helo()
            if self.transaction.sender is not None:
                self.milters.abort()
            self.milters.leave()
            self.milters = None

    def reset(self) -> None:
        """Begin without a sender, as RSET, HELO and a finished message do."""
        self.forget_message()
        self.forget_mail()
        self.transaction.sasl_sender = None
        self.mail = _NOTHING_SAID
        self.forwarded = _NOTHING_FORWARDED
        self.chunks = None
        self.transaction.size = 0
        self.recipients_seen = 0
        self.where_detail = ""
        if self.transcript is not None:
            self.transcript.may_end(self.server, self.client.log_name)
