"""The commands that smtpd knows.

Source: smtpd(8); RFC 5321 section 4.1; RFC 2920 section 3.1 on which of them end a group.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfix.daemons.smtpd import (
    authentication,
    chunking,
    clientinfo,
    content,
    encryption,
    envelope,
    greeting,
    inquiry,
)
from pyfix.protocols.smtp.command import Word

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["COMMANDS", "Command"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    counter: str
    """Its name in the line that a session leaves in the log."""
    serve: Callable[[Session, list[Word], str], Awaitable[bool | None]]
    """Carries it out: the session, the words and the line; tells whether it was in order, None: neither nor."""
    ends_group: bool = False
    """The client must wait for the reply before it goes on."""
    is_junk: bool = False
    """smtpd_junk_command_limit counts it."""
    before_tls: bool = False
    """It can be given where TLS must be used, before it is."""


COMMANDS: Final[dict[str, Command]] = {
    "AUTH": Command("auth", authentication.auth),
    "BDAT": Command("bdat", chunking.bdat),
    "DATA": Command("data", content.data, ends_group=True),
    "EHLO": Command("ehlo", greeting.ehlo, ends_group=True, is_junk=True, before_tls=True),
    "ETRN": Command("etrn", inquiry.etrn, is_junk=True),
    "HELO": Command("helo", greeting.helo, ends_group=True, is_junk=True, before_tls=True),
    "HELP": Command("help", inquiry.help_, before_tls=True),
    "MAIL": Command("mail", envelope.mail),
    "NOOP": Command("noop", inquiry.noop, ends_group=True, is_junk=True, before_tls=True),
    "QUIT": Command("quit", inquiry.quit_, before_tls=True),
    "RCPT": Command("rcpt", envelope.rcpt),
    "RSET": Command("rset", inquiry.rset, is_junk=True),
    "STARTTLS": Command("starttls", encryption.starttls, before_tls=True),
    "VRFY": Command("vrfy", inquiry.vrfy, ends_group=True, is_junk=True),
    "XCLIENT": Command("xclient", clientinfo.xclient, before_tls=True),
    "XFORWARD": Command("xforward", clientinfo.xforward),
}
"""By verb, in the order in which HELP lists them."""
