"""The milters of one session or message, in their order: each event goes to one after the other.

The first that has something against it ends the round, as in Postfix.
Source: MILTER_README.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pyfix.content.milter_connection import Editor, Milter
from pyfix.content.milter_macros import Lookup, MacroLists, canonical_name
from pyfix.protocols.milter.machine import Event, State, Traits
from pyfix.protocols.milter.options import LEADING_SPACE, REJECTED_RECIPIENTS
from pyfix.protocols.milter.packet import encode_words
from pyfix.protocols.milter.verdict import Verdict

__all__ = ["Milters"]

_STAGE_OF: Final = {
    Event.CONNECT: "connect", Event.HELO: "helo", Event.MAIL: "mail", Event.RCPT: "rcpt", Event.DATA: "data",
    Event.UNKNOWN: "unknown", Event.HEADER: "end_of_header", Event.END_OF_HEADER: "end_of_header",
    Event.BODY: "end_of_data", Event.END_OF_BODY: "end_of_data",
}  # fmt: skip
_FAMILIES: Final = {2: b"4", 10: b"6", 1: b"L"}
_NO_FAMILY: Final = b"U"
CHUNK: Final = 65535
"""Bytes of a body that are sent together."""


class Milters:
    """Some milters and what they are told."""

    __slots__ = ("defaults", "lists", "lookup", "members")

    def __init__(
        self, members: Sequence[Milter], lists: MacroLists, defaults: Mapping[str, str], lookup: Lookup
    ) -> None:
        """*lists* and *defaults* are main.cf's macros, *lookup* knows the values of the moment."""
        self.members: Final = members
        self.lists: Final = lists
        self.defaults: Final = defaults
        self.lookup = lookup

    def __bool__(self) -> bool:
        return bool(self.members)

    def macros(self, milter: Milter, event: Traits) -> Iterator[tuple[str, str]]:
        """Yield the macros that a milter is to know with an event, those that have a value."""
        stage = _STAGE_OF[event]
        for name in milter.symbols.get(stage) or self.lists[stage]:
            key = canonical_name(name)
            value = self.lookup(key)
            if value is None:
                value = self.defaults.get(key)
            if value is not None:
                yield name, value

    async def _tell(self, event: Traits, data: bytes = b"") -> Verdict | None:
        for milter in self.members:
            verdict = await milter.tell(event, self.macros(milter, event), data)
            if verdict is not None:
                return verdict
        return None

    # Events of a session

    async def connect(self, name: str, family: int, address: str, port: str) -> Verdict | None:
        """Tell who the client is; *family* is its number in the system."""
        kind = _FAMILIES.get(family, _NO_FAMILY)
        data = name.encode("utf-8", "surrogateescape") + b"\0" + kind
        if kind != _NO_FAMILY:
            number = int(port) if port.isdigit() else 0
            text = f"IPv6:{address}" if kind == b"6" and not address.lower().startswith("ipv6:") else address
            data += struct.pack(">H", number & 0xFFFF) + text.encode("utf-8", "surrogateescape") + b"\0"
        for milter in self.members:
            if milter.machine.state == State.CLOSED and not await milter.open():
                verdict = milter.machine.verdict
            else:
                verdict = await milter.tell(Event.CONNECT, self.macros(milter, Event.CONNECT), data)
            if verdict is not None:
                return verdict
        return None

    async def helo(self, name: str) -> Verdict | None:
        """Tell what the client calls itself."""
        return await self._tell(Event.HELO, _words(name))

    async def mail(self, words: Sequence[str]) -> Verdict | None:
        """Tell the sender and the parameters of MAIL."""
        return await self._tell(Event.MAIL, _words(*words))

    async def rcpt(self, words: Sequence[str], *, refused: bool = False) -> Verdict | None:
        """Tell a recipient and the parameters of RCPT; one that is refused is for those who want to hear of it."""
        if not refused:
            return await self._tell(Event.RCPT, _words(*words))
        for milter in self.members:
            if milter.machine.options.events & REJECTED_RECIPIENTS:
                await milter.tell(Event.RCPT, self.macros(milter, Event.RCPT), _words(*words))
        return None

    async def data(self) -> Verdict | None:
        """Tell that the content begins."""
        return await self._tell(Event.DATA)

    async def unknown(self, line: str) -> Verdict | None:
        """Tell of a command that nobody knows."""
        return await self._tell(Event.UNKNOWN, _words(line))

    def abort(self) -> None:
        """Tell that the message is over, or is not to be."""
        for milter in self.members:
            milter.abort()

    def quit(self) -> None:
        """End all conversations."""
        for milter in self.members:
            milter.quit()

    async def send_all(self) -> None:
        """Send what waits to be sent, because somebody else goes on."""
        for milter in self.members:
            await milter.send_all()

    @property
    def active(self) -> list[Milter]:
        """Those that take part in the message."""
        return [milter for milter in self.members if milter.machine.is_active]

    # The content of a message

    async def header(self, milter: Milter, name: bytes, body: bytes) -> Verdict | None:
        """Tell one milter of a header; *body* is all that follows the colon."""
        if not milter.machine.options.events & LEADING_SPACE and body.startswith(b" "):
            body = body[1:]
        return await milter.tell(Event.HEADER, self.macros(milter, Event.HEADER), encode_words((name, body)))

    async def end_of_header(self, milter: Milter) -> Verdict | None:
        """Tell one milter that the header is over."""
        return await milter.tell(Event.END_OF_HEADER, self.macros(milter, Event.END_OF_HEADER))

    async def body(self, milter: Milter, data: bytes) -> Verdict | None:
        """Show one milter a piece of the body, of at most CHUNK bytes."""
        return await milter.tell(Event.BODY, self.macros(milter, Event.BODY), data)

    async def end_of_body(self, milter: Milter, edit: Editor) -> Verdict | None:
        """Tell one milter that the message is complete; *edit* carries out what it wants to have changed."""
        return await milter.tell(Event.END_OF_BODY, self.macros(milter, Event.END_OF_BODY), edit=edit)


def _words(*words: str) -> bytes:
    return encode_words([word.encode("utf-8", "surrogateescape") for word in words])
