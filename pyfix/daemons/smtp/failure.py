"""Why recipients could not be delivered: by a server's reply, or for a reason of our own."""

from __future__ import annotations

from typing import Final, NamedTuple

from pyfix.delivery.outcome import BOUNCED, DEFERRED, Outcome
from pyfix.protocols.smtp.client_reply import Reply

_PROTOCOL_ERROR: Final = "5.5.0"


class Misconfigured(Exception):
    """The configuration is of no use for a delivery; Postfix's program would end with this text."""


class Failure(NamedTuple):
    """A status and a reason, with what a notice says about the server."""

    status: str
    """Enhanced status code; its first digit decides between deferring and bouncing."""
    reason: str
    server: str = ""
    """The host that said it; empty when nobody did."""
    reply: str = ""
    """What it said."""
    kind: str = "smtp"
    """The protocol in which it was said."""
    sasl: str = ""
    """Why we ourselves could not go on with authentication."""

    @property
    def soft(self) -> bool:
        """Whether it may go better later."""
        return self.status.startswith("4")

    @property
    def loops(self) -> bool:
        """Whether mail would come back to us."""
        return self.status.endswith(".4.6")

    def outcome(self) -> Outcome:
        """Return what is reported of a recipient who has failed for this reason."""
        kind, action = (DEFERRED, "delayed") if self.soft else (BOUNCED, "failed")
        of_server = (self.kind, self.reply, "dns", self.server) if self.server else ()
        if self.sasl:
            of_server = ("x-sasl", self.sasl, "", "")
        return Outcome(kind, self.status, self.reason, action, *of_server)


def refusal(server: str, reply: Reply, reason: str, *, status: str = "") -> Failure:
    """Return the failure that a reply tells of; one that is no refusal at all is an error in the protocol.

    *status* takes the place of the reply's own.
    """
    status = status or reply.status
    if status[0] not in "45":
        return Failure(_PROTOCOL_ERROR, f"Protocol error: {reason}", server, reply.line)
    return Failure(status, reason, server, reply.line)


UNREACHABLE: Final = Failure("4.3.0", "server unavailable or unable to receive mail")
"""When nobody was asked."""
