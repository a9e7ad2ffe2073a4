"""One conversation with one milter: what to send for each event, and what the answers mean.

The machine does no I/O.  It is asked for the bytes of an event, and then shown the packets that come until one of them
answers the event.  When something goes wrong it says so by ``warn``, and from then on gives the default answer.
Source: the milter protocol of Sendmail 8; MILTER_README; postconf(5) milter_default_action, milter_protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from pyfix.protocols.milter import options as bits
from pyfix.protocols.milter.modification import BodyPiece, ChangeHeader, Modification, parse_modification
from pyfix.protocols.milter.options import BadProtocol, Conflict, Offer, Options, parse_options, parse_protocol
from pyfix.protocols.milter.packet import (
    ABORT,
    BODY,
    COMMAND_NAMES,
    CONNECT,
    DATA,
    END_OF_BODY,
    END_OF_HEADER,
    HEADER,
    HELO,
    MACRO,
    MAIL,
    OPTIONS,
    QUIT,
    RCPT,
    REPLY_NAMES,
    UNKNOWN,
    BadPacket,
    NoTerminator,
    Packet,
    encode_packet,
    encode_words,
)
from pyfix.protocols.milter.verdict import Discard, Hold, Refuse, ShutDown, Verdict

__all__ = ["Event", "Machine", "State", "Traits"]

_REJECTED: Final = Refuse("550 5.7.1 Command rejected")
_UNAVAILABLE: Final = Refuse("550 5.5.0 Service unavailable")
_TRY_LATER: Final = Refuse("451 4.7.1 Service unavailable - try again later")
_LEAVE: Final = Refuse("421 4.7.1 Service unavailable - try again later")
_BAD_SETTINGS: Final = Refuse("451 4.3.5 Server configuration problem - try again later")
_BAD_SETTINGS_LEAVE: Final = Refuse("421 4.3.5 Server configuration problem - try again later")
_DEFAULT_HOLD: Final = Hold("default_action")
_REPLY: Final = re.compile(rb"([45])[0-9][0-9][ -](?:\1|[^0-9]|\Z)")
_PERCENT: Final = re.compile("%(%?)")
"""Milters write a percent sign twice, as their library makes them; one alone means nothing."""
_DEFAULTS: Final[dict[str, Verdict | None]] = {
    "accept": None,
    "reject": _UNAVAILABLE,
    "tempfail": _TRY_LATER,
    "quarantine": _DEFAULT_HOLD,
    "shutdown": _LEAVE,
}


class State(IntEnum):
    """How far the conversation is; the numbers are those that smtpd(8) tells cleanup(8)."""

    FAILED = 1
    CLOSED = 2
    READY = 3
    ENVELOPE = 4
    MESSAGE = 5
    ACCEPTED_CLIENT = 6
    ACCEPTED_MESSAGE = 7
    REJECTED_CLIENT = 8


_OVER: Final = frozenset((State.FAILED, State.CLOSED, State.ACCEPTED_CLIENT, State.REJECTED_CLIENT))
"""There is nothing more to say."""
_TALKING: Final = frozenset((State.READY, State.ENVELOPE, State.MESSAGE))


class Traits(NamedTuple):
    """What distinguishes one kind of event from the others."""

    command: bytes
    unwanted: int
    """The bit by which a milter says that it does not want the event."""
    silent: int
    """The bit by which it says that it does not answer."""
    of_client: bool = False
    """What it answers holds for all the session."""
    macros_always: bool = True
    """Macros are sent also when the event is not."""


class Event:
    """The kinds of events."""

    CONNECT: Final = Traits(CONNECT, bits.NO_CONNECT, bits.NO_REPLY_CONNECT, of_client=True)
    HELO: Final = Traits(HELO, bits.NO_HELO, bits.NO_REPLY_HELO, of_client=True)
    MAIL: Final = Traits(MAIL, bits.NO_MAIL, bits.NO_REPLY_MAIL)
    RCPT: Final = Traits(RCPT, bits.NO_RCPT, bits.NO_REPLY_RCPT)
    DATA: Final = Traits(DATA, bits.NO_DATA, bits.NO_REPLY_DATA)
    UNKNOWN: Final = Traits(UNKNOWN, bits.NO_UNKNOWN, bits.NO_REPLY_UNKNOWN)
    HEADER: Final = Traits(HEADER, bits.NO_HEADERS, bits.NO_REPLY_HEADER, macros_always=False)
    END_OF_HEADER: Final = Traits(
        END_OF_HEADER, bits.NO_END_OF_HEADER, bits.NO_REPLY_END_OF_HEADER, macros_always=False
    )
    BODY: Final = Traits(BODY, bits.NO_BODY, bits.NO_REPLY_BODY, macros_always=False)
    END_OF_BODY: Final = Traits(END_OF_BODY, 0, 0)


class Machine:
    """The state of one conversation."""

    __slots__ = (
        "_body_over", "_body_replaced", "_default_action", "_event", "_skipped", "_warn", "done", "name", "offer",
        "options", "state", "verdict",
    )  # fmt: skip

    def __init__(self, name: str, default_action: str, warn: Callable[[str], None]) -> None:
        """*name* is what warnings call the milter."""
        self.name = name
        self._default_action = default_action
        self._warn = warn
        self.offer = Offer(0, 0)
        self.options = Options(0, 0, 0)
        self.state = State.CLOSED
        self.verdict: Verdict | None = None
        """What is answered to each event from now on, if anything."""
        self.done = True
        """Whether the last event has its answer."""
        self._event = Event.CONNECT
        self._skipped = 0
        self._body_replaced = self._body_over = False

    # Agreement

    def begin(self, protocol: str) -> bytes | None:
        """Return the offer of options; None, with a warning, when *protocol* makes no sense."""
        try:
            self.offer = parse_protocol(protocol)
        except BadProtocol as error:
            self._warn(f"milter {self.name}: {error}")
            self.misconfigured()
            return None
        return self.offer.encode()

    def take_options(self, packet: Packet) -> bool:
        """Take the answer to the offer; tell whether there is an agreement."""
        if packet.kind != OPTIONS[0]:
            self._warn(f'milter {self.name}: unexpected reply "{chr(packet.kind)}" in initial handshake')
            self.fail()
            return False
        try:
            before = len(packet.data)
            self.options = parse_options(packet, self.offer, lambda text: self._warn(f"milter {self.name}: {text}"))
        except Conflict as conflict:
            self._warn(f"milter {self.name}: {conflict}")
            self.fail()
            return False
        except BadPacket as error:
            self._malformed(error)
            if before < bits.FIXED_SIZE:
                self._warn(f"milter {self.name}: read error in initial handshake")
            self.fail()
            return False
        self.state = State.READY
        return True

    def resume(self, options: Options, state: int) -> None:
        """Go on where another program has stopped."""
        self.options = options
        self.state = State(state) if state in (State.READY, State.ENVELOPE, State.MESSAGE) else State.FAILED

    # Events

    @property
    def is_active(self) -> bool:
        """Whether the milter takes part in the message."""
        return self.state in _TALKING

    def wants(self, event: Traits) -> bool:
        """Tell whether an event is sent at all."""
        return not event.unwanted & (self.options.events | self.options.missing)

    def send(self, event: Traits, macros: Iterable[tuple[str, str]], data: bytes) -> bytes:
        """Return the bytes that tell of an event; afterwards ``done`` says whether an answer is to come.

        Nothing is sent that the milter does not want.
        """
        self.done = True
        if event.unwanted & (self.options.missing | self._skipped):
            return b""
        wanted = not event.unwanted & self.options.events
        if self.verdict is not None:
            if wanted:
                name = COMMAND_NAMES[event.command]
                self._warn(f"milter8_event: attempt to send event {name} to milter {self.name} after error")
            return b""
        packets = b""
        if wanted or event.macros_always:
            words = [word.encode("utf-8", "surrogateescape") for pair in macros for word in pair]
            packets = encode_packet(MACRO, event.command + encode_words(words))
        if event is Event.CONNECT:
            self.state = State.ENVELOPE
        if not wanted:
            return packets
        self._event = event
        self._body_replaced = self._body_over = False
        self.done = bool(event.silent & self.options.events)
        return packets + encode_packet(event.command, data)

    def hears(self, event: Traits) -> bool:
        """Tell whether the milter is still to hear of an event of the envelope."""
        if self.state in _OVER:
            return False
        return self.state != State.ACCEPTED_MESSAGE or event.of_client

    def take(self, packet: Packet) -> Modification | None:
        """Take a packet that came after an event; return what it wants to have changed, if anything.

        When it answers the event, ``done`` is true and ``answer`` the verdict.
        """
        try:
            return self._take(packet)
        except BadPacket as error:
            self._malformed(error)
            self.fail()
            return None

    def _take(self, packet: Packet) -> Modification | None:
        kind = packet.kind
        plain = _PLAIN.get(kind)
        if plain is not None:
            if packet.data:
                self._followed(packet)
            else:
                plain(self)
            return None
        if kind == ord("y"):
            self._reply(packet.text())
            self._check_rest(packet)
            return None
        if kind == ord("q"):
            self.verdict = Hold(packet.text().decode("utf-8", "surrogateescape"))
            return None
        change = parse_modification(packet) if self._event is Event.END_OF_BODY else None
        if change is None:
            name = REPLY_NAMES.get(kind, "(unknown filter reply)")
            event = COMMAND_NAMES[self._event.command]
            self._warn(f"milter {self.name}: unexpected filter response {name} after event {event}")
            self.fail()
            return None
        if packet.data:
            self._warn(f"milter8_read_data: left-over data {len(packet.data)} bytes")
            self.fail()
            return None
        return self._allowed(change)

    def _allowed(self, change: Modification) -> Modification | None:
        if isinstance(change, BodyPiece):
            if self._body_over:
                self._warn(
                    f"milter {self.name}: body replacement requests can't currently be mixed with other requests"
                )
                self.misconfigured()
                return None
            self._body_replaced = True
        else:
            self._body_over = self._body_replaced
            if isinstance(change, ChangeHeader) and not change.name:
                self._warn(f"milter {self.name}: null change header name")
                self.misconfigured()
                return None
        return change

    def _check_rest(self, packet: Packet) -> None:
        if packet.data and self.state != State.FAILED:
            self._followed(packet)

    def _followed(self, packet: Packet) -> None:
        name = REPLY_NAMES[packet.kind]
        self._warn(f"milter {self.name}: reply {name} was followed by {len(packet.data)} data bytes")
        self.fail()

    def _malformed(self, error: BadPacket) -> None:
        where = "milter8_read_data: " if isinstance(error, NoTerminator) else ""
        self._warn(f"{where}milter {self.name}: {error}")

    # Answers

    def _continue(self) -> None:
        self.done = True

    def _progress(self) -> None:
        """The milter needs more time."""
        self._body_over = self._body_replaced

    def _accept(self) -> None:
        self.state = State.ACCEPTED_CLIENT if self._event.of_client else State.ACCEPTED_MESSAGE
        self.done = True

    def _discard(self) -> None:
        self.done = True
        if self._event.of_client:
            self._warn(f"milter {self.name}: DISCARD action is not allowed for connect or helo")
            return
        self.state = State.ACCEPTED_MESSAGE
        self.verdict = Discard()

    def _refuse(self, refusal: Refuse) -> None:
        self.done = True
        self.verdict = refusal
        if self._event.of_client:
            self.state = State.REJECTED_CLIENT

    def _reject(self) -> None:
        self._refuse(_REJECTED)

    def _try_later(self) -> None:
        self._refuse(_TRY_LATER)

    def _shut_down(self) -> None:
        self.done = True
        self.state = State.REJECTED_CLIENT
        self.verdict = ShutDown()

    def _skip(self) -> None:
        self.done = True
        self._skipped |= self._event.unwanted

    def _reply(self, text: bytes) -> None:
        shown = text.decode("utf-8", "surrogateescape")
        if _REPLY.match(text) is None:
            self._warn(f"milter {self.name}: malformed reply: {shown}")
            self.misconfigured()
            return
        self._refuse(Refuse(_PERCENT.sub(r"\1", shown)))

    def answer(self) -> Verdict | None:
        """Return the answer to the event; what does not last is forgotten."""
        verdict = self.verdict
        lasting = self.state in (State.FAILED, State.REJECTED_CLIENT) or isinstance(verdict, Hold)
        if not lasting:
            self.verdict = None
        return verdict

    # What goes wrong

    def fail(self) -> None:
        """Something is wrong with the connection or with what the milter says: the default action is all it says."""
        action = self._default_action
        if action in _DEFAULTS:
            self._fail(_DEFAULTS[action])
            return
        self._warn(f"milter {self.name}: unrecognized default action: {action}")
        self._fail(_BAD_SETTINGS)

    def misconfigured(self) -> None:
        """Something is wrong with our settings, or the milter's."""
        self._fail(_MISCONFIGURED.get(self._default_action, _BAD_SETTINGS))

    def _fail(self, verdict: Verdict | None) -> None:
        self.verdict = verdict
        self.state = State.FAILED
        self.done = True

    # The end

    def abort(self) -> bytes:
        """Return the bytes that say that the message is over, and the next may come."""
        if self.state in _OVER or self.state == State.READY:
            return b""
        self.state = State.ENVELOPE
        self._skipped = 0
        return encode_packet(ABORT)

    def quit(self) -> bytes:
        """Return the bytes that end the conversation."""
        leaving = b"" if self.state in _OVER else encode_packet(QUIT)
        self.state = State.CLOSED
        self.verdict = None
        self._skipped = 0
        return leaving


_MISCONFIGURED: Final[dict[str, Verdict | None]] = {
    "accept": None,
    "quarantine": _DEFAULT_HOLD,
    "shutdown": _BAD_SETTINGS_LEAVE,
}
"""Default actions for which it matters what is wrong; the others are to try again."""

_PLAIN: Final[dict[int, Callable[[Machine], None]]] = {
    ord("4"): Machine._shut_down,  # it is the machine's own table
    ord("a"): Machine._accept,
    ord("c"): Machine._continue,
    ord("d"): Machine._discard,
    ord("p"): Machine._progress,
    ord("r"): Machine._reject,
    ord("s"): Machine._skip,
    ord("t"): Machine._try_later,
}
"""Answers without data."""
