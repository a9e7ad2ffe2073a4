"""The transcript of a session, for the postmaster, when something went wrong in it.

Source: smtpd(8); postconf(5) notify_classes, error_notice_recipient, smtpd_history_flush_threshold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pyfix.clients.internalmail import send_internal
from pyfix.formats.textforms import printable
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.server import Server

__all__ = ["CLIENT", "SERVER", "Transcript", "wrapped"]

CLIENT: Final = "In:  "
SERVER: Final = "Out: "
_WIDTH: Final = 78
_INDENT: Final = 4


class Transcript:
    """What was said in a session, and which classes of problems there were."""

    __slots__ = ("lines", "problems")

    def __init__(self) -> None:
        self.lines: list[str] = []
        """Commands, which begin with CLIENT, and replies, with SERVER."""
        self.problems: set[str] = set()
        """The classes of notify_classes to which something belongs that happened."""

    def may_end(self, server: Server, client: str, reason: str = "", *, always: bool = False) -> None:
        """Tell the postmaster if there is something to tell, and begin anew.

        In the middle of a session this happens only when the transcript has become long.
        """
        if not always and len(self.lines) <= server.settings.smtpd_history_flush_threshold:
            return
        if not self.problems.isdisjoint(server.notify_classes):
            settings = server.settings
            # The header names the same address all the same.
            about_bounces = "bounce" in self.problems
            recipient = settings.bounce_notice_recipient if about_bounces else settings.error_notice_recipient
            server.see_through(_tell(server, client, list(self._text(reason)), recipient))
        self.lines.clear()
        self.problems.clear()

    def _text(self, reason: str) -> Iterator[str]:
        yield "Transcript of session follows."
        yield ""
        for said in self.lines:
            prefix = said[:5]
            for line in said[5:].split("\n"):
                yield from wrapped(prefix + line)
        yield ""
        yield f"Session aborted, reason: {reason}" if reason else ""
        if reason:
            yield ""
        yield "For other details, see the local mail logfile"


def wrapped(text: str) -> Iterator[str]:
    """Yield *text* in lines that are broken at blanks, the later ones indented."""
    text = printable(text)
    room = _WIDTH
    indent = " "
    while len(text.encode("utf-8", "surrogateescape")) > room:
        cut = text.rfind(" ", 1, room + 1)
        if cut <= 0:
            cut = text.find(" ", room)
        if cut < 0:
            break
        yield indent + text[:cut].rstrip(" ")
        text = text[cut:].lstrip(" ")
        indent = " " * (1 + _INDENT)
        room = _WIDTH - _INDENT
    yield indent + text.rstrip(" ")


async def _tell(server: Server, client: str, text: list[str], recipient: str) -> None:
    settings = server.settings
    daemon = f"MAILER-DAEMON@{settings.myorigin}"
    name = "Mail Delivery System"
    standard = settings.header_from_format == "standard"
    lines = [
        f"From: {name} <{daemon}>" if standard else f"From: {daemon} ({name})",
        f"To: Postmaster <{settings.error_notice_recipient}>"
        if standard
        else f"To: {settings.error_notice_recipient} (Postmaster)",
        f"Subject: {settings.mail_name} SMTP server: errors from {client}",
        "",
        *text,
    ]
    try:
        await send_internal(
            settings.cleanup_service_name,
            hostname=server.hostname,
            mail_name=settings.mail_name,
            sender=f"{settings.double_bounce_sender}@{settings.myorigin}",
            recipients=[recipient],
            lines=[line.encode("utf-8", "surrogateescape") for line in lines],
            timeout=settings.ipc_timeout,
        )
    except ServiceError as error:
        log.warning(f"postmaster notify: {error}")
