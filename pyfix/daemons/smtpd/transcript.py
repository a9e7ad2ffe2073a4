"""The transcript of a session, for the postmaster, when something went wrong in it.

Source: smtpd(8); postconf(5) notify_classes, error_notice_recipient, smtpd_history_flush_threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.notices.transcript import DETAILS, tell_postmaster, transcript

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.server import Server

__all__ = ["CLIENT", "SERVER", "Transcript"]

CLIENT: Final = "In:  "
SERVER: Final = "Out: "


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
            server.see_through(_tell(server, client, self._text(reason), recipient))
        self.lines.clear()
        self.problems.clear()

    def _text(self, reason: str) -> list[str]:
        aborted = [f"Session aborted, reason: {reason}"] if reason else []
        return [*transcript(self.lines), *aborted, "", DETAILS]


async def _tell(server: Server, client: str, text: list[str], recipient: str) -> None:
    settings = server.settings
    await tell_postmaster(settings, settings, recipient, f"SMTP server: errors from {client}", text)
