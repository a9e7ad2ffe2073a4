"""The milters of a message: where they come from, what they see of it, and what becomes of it by what they say.

Milters of a session have been asked about the envelope by smtpd(8), which passes them on.  For mail of local origin
(non_smtpd_milters) a session is made up here.  All see the content when the queue file is complete.
Source: cleanup(8); MILTER_README.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from pyfix.content.milter_connection import Milter
from pyfix.content.milter_handover import taken_over
from pyfix.content.milter_macros import MacroLists, macro_defaults, macro_lists
from pyfix.content.milter_settings import parse_milters
from pyfix.content.milters import CHUNK, Milters
from pyfix.daemons.cleanup.edits import Edits
from pyfix.daemons.cleanup.origin import client_origin
from pyfix.formats import status as bits
from pyfix.formats.records import encode_record
from pyfix.formats.status import split_status
from pyfix.protocols.internal.cleanup import DISCARD, HOLD, SMTP_REPLY
from pyfix.protocols.internal.milters import GOT_IT, BadHandover, Words, read_common, read_milter
from pyfix.protocols.milter.machine import Event, Machine, Traits
from pyfix.protocols.milter.options import LEADING_SPACE
from pyfix.protocols.milter.verdict import Discard, Hold, Refuse, ShutDown, Verdict
from pyfix.queue.room import DamagedFile, Room
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.config.parameters.cleanup import CleanupSettings
    from pyfix.daemons.cleanup.message import Message
    from pyfix.daemons.cleanup.source import RecordSource

__all__ = ["LocalMilters", "MessageMilters", "begin_passed", "take_passed"]

T = TypeVar("T")

_LEAVE: Final = "421 4.7.0 Service unavailable"
_LONGEST_HANDOVER: Final = 1 << 20
"""Bytes that smtpd(8) may say about its milters."""
_LOCALHOST: Final = "localhost"
_LOCAL_ADDRESS: Final = "127.0.0.1"
_INET: Final = 2


class LocalMilters:
    """What main.cf says of milters for mail of local origin."""

    def __init__(self, settings: CleanupSettings) -> None:
        """Raises ConfigError."""
        self._specs: Final = parse_milters(settings.non_smtpd_milters, settings)
        self._lists: Final = macro_lists(settings)
        self._defaults: Final = macro_defaults(settings)

    def begin(self, message: Message) -> None:
        """Let the milters see a message."""
        members = [Milter(spec) for spec in self._specs]
        message.milters = MessageMilters(message, members, self._lists, self._defaults, local=True)


def begin_passed(message: Message) -> None:
    """Begin a message with smtpd(8)'s milters, of which there are none yet."""
    message.room = message.room or Room(message.file)
    message.milters = MessageMilters(message, (), {}, {}, local=False)


async def take_passed(message: Message, source: RecordSource, data: bytes) -> None:
    """Take the milters that smtpd(8) passes on; *data* is the text of the record with their number.

    Raises EndOfInput, RecordError, StreamClosed, StreamTimeout.
    """
    begin_passed(message)
    count = int(data) if data.isdigit() and len(data) < 5 else -1
    if count == 0:
        return
    try:
        if count < 0:
            raise BadHandover("bad number of milters")
        lists, defaults = await _read(source, read_common)
        members: list[Milter] = []
        message.milters = MessageMilters(message, members, lists, defaults, local=False)
        stream = source.stream
        for _ in range(count):
            passed = await _read(source, read_milter)
            if source.position < len(source.data):
                raise BadHandover("attributes after the last one")
            stream.write(GOT_IT)
            members.append(taken_over(passed, await stream.receive_descriptor()))
            stream.write(GOT_IT)
            stream.send_early()
        stream.write(b"status\0000\0\0")
        stream.send_early()
    except (BadHandover, OSError) as error:
        log.warning(f"cannot receive milters via service cleanup socket: {error}")
        message.refuse("cleanup_milter_receive: milter receive failed")


async def _read(source: RecordSource, reader: Callable[[Words], T]) -> T:
    """Return what *reader* finds in the input, for more of which it may have to wait."""
    while True:
        words = Words(source.data, source.position)
        try:
            found = reader(words)
        except IndexError:
            if len(source.data) - source.position > _LONGEST_HANDOVER:
                raise BadHandover("too long") from None
            await source.more()
            continue
        source.position = words.position
        return found


class MessageMilters:
    """The milters of one message."""

    __slots__ = ("_helo", "_local", "_mail_address", "_message", "_milters", "_orders", "_rcpt_address", "_untold")

    def __init__(
        self,
        message: Message,
        members: list[Milter] | tuple[Milter, ...],
        lists: MacroLists,
        defaults: dict[str, str],
        *,
        local: bool,
    ) -> None:
        """*local*: nobody has told the milters about the envelope."""
        self._message = message
        self._milters = Milters(members, lists, defaults, self._macro)
        self._local = local
        self._mail_address: str | None = None
        self._rcpt_address: str | None = None
        self._helo = ""
        self._orders: dict[int, bytes] = {}
        """What milter_header_checks ask for, by type of record."""
        self._untold: list[str] = []
        """Recipients that the milters have not been told of."""

    # Macros

    def _macro(self, name: str) -> str | None:
        message = self._message
        settings = message.setup.settings
        match name:
            case "{i}":
                return message.queue_id
            case "{j}":
                return settings.myhostname
            case "{v}":
                return settings.milter_macro_v
            case "{_}":
                return self._who()
            case "{daemon_name}":
                return settings.milter_macro_daemon_name
            case "{daemon_addr}":
                return self._client("server_address", _LOCAL_ADDRESS)
            case "{daemon_port}":
                return self._client("server_port", "0")
            case "{client_addr}":
                return self._client("client_address", _LOCAL_ADDRESS)
            case "{client_name}":
                return self._client("client_name", _LOCALHOST)
            case "{client_port}":
                return self._client("client_port", "0")
            case "{client_ptr}":
                return self._client("reverse_client_name", _LOCALHOST)
            case "{mail_addr}":
                return self._mail_address
            case "{rcpt_addr}":
                return self._rcpt_address
            case "{auth_type}":
                return self._attribute("sasl_method")
            case "{auth_authen}":
                return self._attribute("sasl_username")
            case "{auth_author}":
                return self._attribute("sasl_sender")
        return None

    def _who(self) -> str:
        """Return the client by the name of its address, and whether that leads back."""
        name = self._client("client_name", _LOCALHOST)
        reverse = self._client("reverse_client_name", _LOCALHOST)
        forged = "" if name.lower() == reverse.lower() else " (may be forged)"
        return f"{reverse} [{self._client('client_address', _LOCAL_ADDRESS)}]{forged}"

    def _attribute(self, name: str) -> str | None:
        value = self._message.attributes.get(name.encode())
        return None if value is None else value.decode("utf-8", "surrogateescape")

    def _client(self, name: str, otherwise: str) -> str:
        return self._attribute(name) or otherwise

    # The envelope of mail of local origin

    @property
    def are_untold(self) -> bool:
        """Whether the envelope is to be told here."""
        return self._local

    @property
    def _goes_on(self) -> bool:
        message = self._message
        return message.going and not message.errors & (bits.CONTENT | bits.DEFER)

    async def sender(self) -> None:
        """Tell of a session up to MAIL, with the sender of the message."""
        if not self._local:
            return
        message, milters = self._message, self._milters
        name, address = self._client("client_name", _LOCALHOST), self._client("client_address", _LOCAL_ADDRESS)
        family = self._attribute("client_address_type") or str(_INET)
        verdict = await milters.connect(name, int(family), address, self._client("client_port", "0"))
        if verdict is not None:
            self._apply("CONNECT", verdict)
            return
        verdict = await milters.helo(self._client("helo_name", _LOCALHOST))
        if verdict is not None:
            self._apply("EHLO", verdict)
            return
        self._mail_address = message.sender or ""
        self._apply("MAIL", await milters.mail((self._mail_address,)))

    def note_recipient(self, address: str) -> None:
        """Take note of a recipient that was written."""
        if self._local:
            self._untold.append(address)

    async def recipients(self) -> None:
        """Tell of the recipients that were noted."""
        message = self._message
        untold, self._untold = self._untold, []
        for address in untold:
            if not self._goes_on:
                return
            self._rcpt_address = address
            self._apply("RCPT", await self._milters.rcpt((address,)))
            if message.errors & (bits.CONTENT | bits.DEFER):
                log.warning(
                    f"{message.queue_id}: milter configuration error: can't reject recipient in non-smtpd(8) submission"
                )
                log.warning(f"{message.queue_id}: message not accepted, try again later")
                message.errors = message.errors & ~(bits.CONTENT | bits.DEFER) | bits.DEFER
                message.reason = "4.3.5 Server configuration error"
                return

    # The content

    async def inspect(self) -> None:
        """Show the complete message to the milters, let them change it, and act upon what they say.

        Raises SizeLimitExceeded, OSError.
        """
        if self._local:
            await self.recipients()
            if self._goes_on:
                self._apply("DATA", await self._milters.data())
        if not self._goes_on:
            return
        room = self._message.room
        assert room is not None  # it is made with the milters
        room.content_end = self._message.segment_end
        try:
            room.find_body()
            verdict = await self._show(room)
            if self._orders:
                room.add_extracted(b"".join([encode_record(kind, data) for kind, data in self._orders.items()]))
        except DamagedFile as error:
            log.warning(f"{self._message.queue_id}: {error}")
            self._message.errors |= bits.WRITE
            return
        self._apply("END-OF-MESSAGE", verdict)

    async def _show(self, room: Room) -> Verdict | None:
        milters = self._milters
        for milter in milters.members:
            verdict = await self._show_to(milter, room)
            if verdict is not None:
                return verdict
        return None

    async def _show_to(self, milter: Milter, room: Room) -> Verdict | None:
        milters, machine = self._milters, milter.machine
        if not machine.hears(Event.END_OF_BODY):
            return await milters.end_of_body(milter, self._no_edit)
        if machine.wants(Event.HEADER):
            for name, body in room.headers():
                verdict = await milters.header(milter, name, body)
                if verdict is not None or _is_over(machine, Event.HEADER):
                    return verdict
        if machine.wants(Event.END_OF_HEADER):
            verdict = await milters.end_of_header(milter)
            if verdict is not None or _is_over(machine, Event.END_OF_HEADER):
                return verdict
        if machine.wants(Event.BODY):
            verdict = await self._show_body(milter, room)
            if verdict is not None or _is_over(machine, Event.BODY):
                return verdict
        edits = Edits(self._message, room, self._orders, exact=bool(machine.options.events & LEADING_SPACE))
        verdict = await milters.end_of_body(milter, edits.edit)
        failure = edits.end_body()
        return verdict or failure

    async def _no_edit(self, _change: object) -> None:
        """A milter that hears nothing changes nothing."""

    async def _show_body(self, milter: Milter, room: Room) -> Verdict | None:
        milters = self._milters
        waiting = b""
        for block in room.body_blocks():
            waiting += block.replace(b"\n", b"\r\n")
            while len(waiting) >= CHUNK:
                verdict = await milters.body(milter, waiting[:CHUNK])
                waiting = waiting[CHUNK:]
                if verdict is not None or not milter.machine.hears(Event.BODY):
                    return verdict
        return await milters.body(milter, waiting) if waiting else None

    # What milters say

    def _apply(self, where: str, verdict: Verdict | None) -> None:
        if verdict is None:
            return
        message = self._message
        match verdict:
            case Hold():
                if message.flags & HOLD:
                    return
                message.flags |= HOLD
                self._log("hold", where, verdict.reason or "milter triggers HOLD action")
            case Discard():
                message.flags |= DISCARD
                self._log("discard", where, "milter triggers DISCARD action")
            case ShutDown():
                self._refuse(where, _LEAVE)
            case Refuse():
                self._refuse(where, verdict.reply, logged=verdict.logged)

    def _refuse(self, where: str, reply: str, *, logged: bool = False) -> None:
        message = self._message
        text = reply[4:]
        status, reason = split_status(text, f"{reply[0]}.0.0")
        message.reason = reply if message.flags & SMTP_REPLY else f"{status} {reason}"
        message.errors |= bits.DEFER if reply.startswith("4") else bits.CONTENT
        if not logged:
            self._log("reject", where, text)

    def _log(self, action: str, where: str, text: str) -> None:
        log.info(f"{self._message.queue_id}: milter-{action}: {where} from {client_origin(self._message, text)}")

    # The end

    def end(self) -> None:
        """Let the milters go: those that smtpd(8) has passed on are its own again."""
        if self._local:
            self._milters.quit()
            return
        for milter in self._milters.members:
            milter.release()


def _is_over(machine: Machine, event: Traits) -> bool:
    """Tell whether a milter has said all that it has to say of a message."""
    return not machine.hears(event)
