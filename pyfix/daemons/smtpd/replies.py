"""How a session replies: at once, or behind replies for which a table has to be asked first.

Source: postconf(5) smtpd_reject_footer_maps, smtpd_reject_filter_maps.
"""

from __future__ import annotations

from copy import copy

from pyfix.access.verdict import Reject
from pyfix.daemons.smtpd.footer import finished_reply, late_reply
from pyfix.daemons.smtpd.rights import SessionEnds
from pyfix.daemons.smtpd.state import SessionState
from pyfix.daemons.smtpd.transcript import SERVER
from pyfix.protocols.smtp.reply import encode_reply
from pyfix.runtime.log import log

__all__ = ["ClientReplies"]


class ClientReplies(SessionState):
    """What is said to the client."""

    def reply(self, text: str) -> None:
        """Write a reply; it leaves when the client's next bytes are waited for."""
        if text >= "4":  # it refuses
            if self.server.refusals_wait:
                self._unfinished.append((copy(self.transaction), text))
                return
            text = finished_reply(self, text)
            if text.startswith(("421", "521")):
                self.leaving = True
        elif self._unfinished:
            self._unfinished.append((None, text))
            return
        self._write(text)

    async def finish_replies(self) -> bool:
        """Write the replies that wait for tables to be asked; tell whether the client has to leave after them."""
        unfinished, self._unfinished = self._unfinished, []
        for transaction, text in unfinished:
            if transaction is not None:
                text = await late_reply(self.server, transaction, text)  # noqa: PLW2901  # it is what becomes of it
                if text.startswith(("421", "521")):
                    self.leaving = True
            self._write(text)
        return self.leaving

    def _write(self, text: str) -> None:
        if log.verbosity:
            for line in text.split("\n"):
                log.debug(f"> {self.client.log_name}: {line}")
        if self.transcript is not None:
            self.transcript.lines += [SERVER + line for line in text.split("\n")]
        self.stream.write(encode_reply(text))

    def send_early(self) -> None:
        """Let the replies leave now if the client waits for them, and nobody else is there."""
        if not self.buffer and not self.stream.readable:
            self.stream.send_early()

    def refuse(self, refusal: Reject) -> None:
        """Reply what a restriction says; it is logged already."""
        self.blame(refusal.notice)
        if self.transaction.hangup and not refusal.text:
            raise SessionEnds
        self.reply(refusal.reply)

    def forgive(self) -> None:
        """Forget errors, as after a message that was taken, those for the postmaster, too."""
        self.errors = self.junk = 0
        if self.transcript is not None:
            self.transcript.problems.clear()

    def note_problem(self, notice_class: str) -> None:
        """Remember a problem of a class of notify_classes for the postmaster, if there are notices; empty: none."""
        if self.transcript is not None:
            self.refused = True
            if notice_class:
                self.transcript.problems.add(notice_class)

    def blame(self, notice_class: str) -> None:
        """Remember a problem for the postmaster, and forget the message."""
        self.note_problem(notice_class)
