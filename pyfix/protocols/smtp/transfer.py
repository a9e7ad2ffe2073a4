"""One message over an SMTP or LMTP session: which commands go out together, and what each reply means.

With PIPELINING (RFC 2920) commands leave in groups that fit into the TCP send buffer, so that client and server never
both wait for the other to read.  A group's replies are all read before more is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum, auto
from typing import Final, NamedTuple

from pyfix.protocols.smtp.client_reply import Reply

__all__ = ["Event", "Stage", "Transfer", "What"]


class Stage(IntEnum):
    """What is being sent, or answered."""

    PROBE = -1
    """RSET over a session that was kept: is the server still there?"""
    XFORWARD_NAME = 0
    XFORWARD_HELO = 1
    MAIL = 2
    RCPT = 3
    DATA = 4
    DOT = 5
    RESET = 6
    QUIT = 7
    LAST = 8

    @property
    def doing(self) -> str:
        """How a notice about a lost connection says it."""
        return _DOING[self]

    @property
    def command(self) -> str:
        """How a notice about a refusal names the command."""
        return _COMMANDS[self]


_DOING: Final = (
    "sending XFORWARD name/address", "sending XFORWARD protocol/helo_name", "sending MAIL FROM", "sending RCPT TO",
    "sending DATA command", "sending end of data -- message may be sent more than once", "sending final RSET",
    "sending QUIT", "", "sending RSET probe",
)  # fmt: skip
_COMMANDS: Final = (
    "XFORWARD name/address command", "XFORWARD helo/protocol command", "MAIL FROM command", "RCPT TO command",
    "DATA command", "end of DATA command", "final RSET command", "QUIT command", "", "RSET probe",
)  # fmt: skip


_FIXED: Final = {Stage.PROBE: b"RSET", Stage.DATA: b"DATA", Stage.RESET: b"RSET", Stage.QUIT: b"QUIT"}


class What(Enum):
    """What a reply means."""

    NOTHING = auto()
    """It decides nothing."""
    STALE = auto()
    """The session that was kept is of no use any more."""
    WARN = auto()
    """The server refused what mail does not depend on."""
    MAIL_REFUSED = auto()
    """All recipients have failed, by the reply to MAIL, DATA or the content."""
    REFUSED = auto()
    """One recipient has failed."""
    PROBED = auto()
    """One recipient would be accepted, and that is all that is asked."""
    ALL_PROBED = auto()
    """All recipients that were accepted would get the message."""
    DELIVERED = auto()
    """One recipient has the message."""
    ALL_DELIVERED = auto()
    """All recipients that were accepted have the message."""


class Event(NamedTuple):
    """What a reply means, and for whom."""

    what: What
    place: int = -1
    """The recipient's place in the list."""


_NOTHING: Final = Event(What.NOTHING)


class Transfer:
    """The client's side of one transaction, without input or output.

    In turn: send what ``commands`` returns, the content if ``content_due``, then read ``awaited`` replies, giving each
    to ``receive``; until ``over``.
    """

    def __init__(
        self,
        mail: bytes,
        rcpts: Sequence[bytes],
        *,
        window: int = 0,
        xforward: Mapping[Stage, bytes] | None = None,
        probe: Stage | None = None,
        per_recipient: bool = False,
        keep: bool = False,
        kept: bool = False,
    ) -> None:
        """*mail* and *rcpts* are commands without line ends.

        *window*: bytes of commands that may be unanswered; 0: one at a time.  *probe*: nothing is to be delivered, and
        RCPT or DATA is the last question.  *per_recipient*: the content gets a reply for each recipient (LMTP).
        *keep*: the session goes on afterwards, without QUIT.  *kept*: it went on after another message.
        """
        self._mail: Final = mail
        self._xforward: Final = xforward or {}
        self._rcpts: Final = rcpts
        self._window: Final = window
        self._probe: Final = probe
        self._per_recipient: Final = per_recipient
        self._after: Final = Stage.LAST if keep else Stage.QUIT
        self._first: Final = min(self._xforward, default=Stage.MAIL)
        first = Stage.PROBE if kept else self._first
        self._sending = first
        self._next_rcpt = 0
        self.stage = first
        """What the next reply answers."""
        self._answered_rcpt = 0
        self.accepted: list[int] = []
        """Places of the recipients that the server has accepted."""
        self._mail_refused = False
        self._data_refused = False
        self._content_answers = 0
        self.content_due = False
        """The server waits for the content."""

    @property
    def awaited(self) -> bool:
        """Whether replies are due to what was sent."""
        return self.stage is not self._sending or self._answered_rcpt != self._next_rcpt

    @property
    def over(self) -> bool:
        """Whether all is said, and answered."""
        return self._sending is Stage.LAST and self.stage is Stage.LAST

    # Sending

    def commands(self) -> bytes:
        """Return the commands that can be sent before replies must be read, with their line ends."""
        if self._must_stop():
            self._sending = self.stage = Stage.RESET
            self._next_rcpt = self._answered_rcpt = 0
        out: list[bytes] = []
        size = 0
        while self._sending is not Stage.LAST:
            if self._sending is Stage.DOT:
                if out:
                    break
                self.content_due = bool(self.accepted)
                out.append(b".")
                self._sending = self._after
                if self.content_due:
                    # The dot comes behind the content; what may follow it at once is added by its sender.
                    return self._behind_content()
                size = 3
                continue
            if out and self._sending is Stage.RESET and self._probe is Stage.DATA:
                break  # what comes then depends on the reply to DATA
            command = self._command()
            if out and size + len(command) + 2 > self._window:
                break
            out.append(command)
            size += len(command) + 2
            self._advance()
        return b"\r\n".join([*out, b""]) if out else b""

    def _behind_content(self) -> bytes:
        if self._sending is Stage.QUIT and self._window >= 6:
            self._sending = Stage.LAST
            return b".\r\nQUIT\r\n"
        return b".\r\n"

    def _must_stop(self) -> bool:
        """Say whether what comes next makes no sense any more, when all replies are known."""
        match self._sending:
            case Stage.RCPT:
                return self._mail_refused
            case Stage.DATA:
                return not self.accepted
            case Stage.DOT:
                return self._data_refused
        return False

    def _command(self) -> bytes:
        if self._sending is Stage.RCPT:
            return self._rcpts[self._next_rcpt]
        if Stage.XFORWARD_NAME <= self._sending <= Stage.XFORWARD_HELO:
            return self._xforward[self._sending]
        return self._mail if self._sending is Stage.MAIL else _FIXED[self._sending]

    def _advance(self) -> None:
        match self._sending:
            case Stage.PROBE:
                self._sending = self._first
            case Stage.XFORWARD_NAME:
                self._sending = Stage.XFORWARD_HELO if Stage.XFORWARD_HELO in self._xforward else Stage.MAIL
            case Stage.XFORWARD_HELO:
                self._sending = Stage.MAIL
            case Stage.MAIL:
                self._sending = Stage.RCPT
            case Stage.RCPT:
                self._next_rcpt += 1
                if self._next_rcpt == len(self._rcpts):
                    self._sending = self._after_rcpt()
            case Stage.DATA:
                self._sending = Stage.RESET if self._probe is Stage.DATA else Stage.DOT
            case Stage.RESET:
                self._sending = self._after
            case _:
                self._sending = Stage.LAST

    def _after_rcpt(self) -> Stage:
        return Stage.RESET if self._probe is Stage.RCPT else Stage.DATA

    # Receiving

    def receive(self, reply: Reply) -> Event:
        """Take the next reply and say what it means."""
        match self.stage:
            case Stage.PROBE:
                self.stage = self._first
                return _NOTHING if reply.positive else Event(What.STALE)
            case Stage.XFORWARD_NAME | Stage.XFORWARD_HELO:
                more = self.stage is Stage.XFORWARD_NAME and Stage.XFORWARD_HELO in self._xforward
                self.stage = Stage.XFORWARD_HELO if more else Stage.MAIL
                return _NOTHING if reply.positive else Event(What.WARN)
            case Stage.MAIL:
                self.stage = Stage.RCPT
                if not reply.positive:
                    self._mail_refused = True
                    return Event(What.MAIL_REFUSED)
            case Stage.RCPT:
                return self._receive_rcpt(reply)
            case Stage.DATA:
                return self._receive_data(reply)
            case Stage.DOT:
                return self._receive_dot(reply)
            case Stage.RESET:
                self.stage = self._after
            case _:
                self.stage = Stage.LAST
        return _NOTHING

    def _receive_rcpt(self, reply: Reply) -> Event:
        index = self._answered_rcpt
        self._answered_rcpt += 1
        if self._answered_rcpt == len(self._rcpts):
            self.stage = self._after_rcpt()
        if self._mail_refused:
            return _NOTHING
        if not reply.positive:
            return Event(What.REFUSED, index)
        self.accepted.append(index)
        return Event(What.PROBED, index) if self._probe is Stage.RCPT else _NOTHING

    def _receive_data(self, reply: Reply) -> Event:
        self.stage = Stage.RESET if self._probe is Stage.DATA else Stage.DOT
        self._content_answers = max(len(self.accepted), 1) if self._per_recipient else 1
        if 300 <= reply.code < 400:
            if self._probe is not Stage.DATA:
                return _NOTHING
            # The server waits for content, and there is no polite way out.
            self._sending = self.stage = Stage.LAST
            return Event(What.ALL_PROBED) if self.accepted else _NOTHING
        self._data_refused = True
        refused = bool(self.accepted)
        self.accepted = []
        return Event(What.MAIL_REFUSED) if refused else _NOTHING

    def _receive_dot(self, reply: Reply) -> Event:
        number = len(self.accepted) - self._content_answers
        self._content_answers -= 1
        if not self._content_answers:
            self.stage = self._after
        if not self.accepted:
            return _NOTHING
        if self._per_recipient:
            return Event(What.DELIVERED if reply.positive else What.REFUSED, self.accepted[number])
        return Event(What.ALL_DELIVERED if reply.positive else What.MAIL_REFUSED)
