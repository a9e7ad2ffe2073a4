"""The postmaster hears of a session in which something went wrong: what was said in it.

Source: smtpd(8), smtp(8); postconf(5) notify_classes, error_notice_recipient, header_from_format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pyfix.clients.internalmail import filter_flags, send_internal
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.notification import NotificationSettings
from pyfix.formats.textforms import printable
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log

__all__ = ["DETAILS", "tell_postmaster", "transcript", "wrapped"]

DETAILS: Final = "For other details, see the local mail logfile"
"""The last line of each notice."""
_WIDTH: Final = 78
_INDENT: Final = 4
_NAME: Final = "Mail Delivery System"


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


def transcript(lines: Iterable[str]) -> Iterator[str]:
    """Yield the beginning of a notice: *lines*, each with five characters that tell who said it, and what is around."""
    yield "Transcript of session follows."
    yield ""
    for said in lines:
        prefix = said[:5]
        for line in said[5:].split("\n"):
            yield from wrapped(prefix + line)
    yield ""


async def tell_postmaster(
    mail: MailSettings, notification: NotificationSettings, recipient: str, subject: str, text: Iterable[str]
) -> None:
    """Send a notice with *text* to *recipient*; the log has it when that fails.

    *subject* comes after the name of the mail system.
    """
    daemon = f"MAILER-DAEMON@{mail.myorigin}"
    addressee = notification.error_notice_recipient  # also where the envelope has bounce_notice_recipient
    standard = notification.header_from_format == "standard"
    lines = [
        f"From: {_NAME} <{daemon}>" if standard else f"From: {daemon} ({_NAME})",
        f"To: Postmaster <{addressee}>" if standard else f"To: {addressee} (Postmaster)",
        f"Subject: {mail.mail_name} {subject}",
        "",
        *text,
    ]
    try:
        await send_internal(
            mail.cleanup_service_name,
            hostname=mail.myhostname,
            mail_name=mail.mail_name,
            sender=f"{mail.double_bounce_sender}@{mail.myorigin}",
            recipients=[recipient],
            lines=[line.encode("utf-8", "surrogateescape") for line in lines],
            timeout=mail.ipc_timeout,
            more_flags=filter_flags(mail.internal_mail_filter_classes, "notify"),
        )
    except ServiceError as error:
        log.warning(f"postmaster notify: {error}")
