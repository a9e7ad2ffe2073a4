"""The postmaster hears of servers that do not understand us.

Source: smtp(8); postconf(5) notify_classes, error_notice_recipient.
"""

from __future__ import annotations

from pyfix.daemons.smtp.session import Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.notices.transcript import DETAILS, tell_postmaster, transcript

PROTOCOL = "protocol"
"""The only class of notify_classes to which anything belongs that a server can do."""


def concerns_protocol(code: int) -> bool:
    """Say whether the code of a refusal is about the protocol, not about the mail.  Source: RFC 5321 section 4.2."""
    return not 400 <= code < 600 or code == 555 or 500 <= code < 510


def end_of_message(session: Session, setup: Setup) -> None:
    """Tell the postmaster what was said, if there was such a reply, and begin anew."""
    if session.misunderstood and setup.tells_postmaster:
        settings, server = setup.settings, session.server.full_name
        text = [f"Unexpected response from {server}.", "", *transcript(session.history), DETAILS]
        subject = f"{setup.prefix.upper()} client: errors from {server}"
        setup.see_through(tell_postmaster(settings, settings, settings.error_notice_recipient, subject, text))
    session.misunderstood = False
    session.history.clear()
