"""header_checks and body_checks: tables that look at each header and at body lines, and what they ask for.

Source: header_checks(5); postconf(5) header_checks, mime_header_checks, nested_header_checks, body_checks,
body_checks_size_limit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.content.action import Action, BadAction, parse_action
from pyfix.daemons.cleanup.message import Message
from pyfix.daemons.cleanup.origin import log_action
from pyfix.formats import status as bits
from pyfix.formats.mime import HeaderClass
from pyfix.protocols.internal.cleanup import DISCARD, FILTER, HOLD
from pyfix.runtime.log import log
from pyfix.tables.flags import CONTENT
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError


class Checked(NamedTuple):
    """What is left of a line after a check."""

    before: bytes
    """A line to put first, or nothing."""
    text: bytes | None
    """The line itself, or another in its place; None when it goes."""


class Checks:
    """The tables of one main.cf."""

    def __init__(self, settings: CleanupSettings) -> None:
        """Open the tables."""
        snapshot = settings.snapshot
        self._headers: Final[dict[HeaderClass, Maps]] = {
            "header": Maps("header_checks", settings.header_checks, snapshot, flags=CONTENT),
            "mime": Maps("mime_header_checks", settings.mime_header_checks, snapshot, flags=CONTENT),
            "nested": Maps("nested_header_checks", settings.nested_header_checks, snapshot, flags=CONTENT),
        }
        self._body: Final = Maps("body_checks", settings.body_checks, snapshot, flags=CONTENT)
        self.size_limit: Final = settings.body_checks_size_limit
        """Bytes of each segment of the body that are looked at; 0 means all."""
        self.local: Final = all(maps.local for maps in (*self._headers.values(), self._body))
        """Whether all tables answer at once; else they are asked by find_header() and find_line()."""

    def __bool__(self) -> bool:
        """Tell whether there is any table."""
        return bool(self.body or any(self._headers.values()))

    @property
    def body(self) -> bool:
        """Whether body lines are looked at."""
        return bool(self._body)

    def header(self, message: Message, kind: HeaderClass, text: bytes) -> Checked:
        """Look at a header, its lines separated by newlines."""
        return self._check(message, self._headers[kind], "header", text)

    def line(self, message: Message, text: bytes) -> Checked:
        """Look at a line of the body."""
        return self._check(message, self._body, "body", text)

    async def find_header(self, message: Message, kind: HeaderClass, text: bytes) -> Checked:
        """Do as header(), with tables that may wait."""
        return await self._find(message, self._headers[kind], "header", text)

    async def find_line(self, message: Message, text: bytes) -> Checked:
        """Do as line(), with tables that may wait."""
        return await self._find(message, self._body, "body", text)

    def _check(self, message: Message, maps: Maps, context: str, text: bytes) -> Checked:
        if not maps or not message.flags & FILTER:
            return Checked(b"", text)
        try:
            value = maps.find_now(text.decode("utf-8", "surrogateescape"))
        except TableError:
            return _failed(message, maps, text)
        return _acted(message, maps, value, context, text)

    async def _find(self, message: Message, maps: Maps, context: str, text: bytes) -> Checked:
        if not maps or not message.flags & FILTER:
            return Checked(b"", text)
        try:
            value = await maps.find(text.decode("utf-8", "surrogateescape"))
        except TableError:
            return _failed(message, maps, text)
        return _acted(message, maps, value, context, text)


def _failed(message: Message, maps: Maps, text: bytes) -> Checked:
    log.warning(
        f"{message.queue_id}: {maps.parameter_name} map lookup problem -- message not accepted, try again later"
    )
    message.errors |= bits.WRITE
    return Checked(b"", text)


def _acted(message: Message, maps: Maps, value: str | None, context: str, text: bytes) -> Checked:
    """Do what a table says, if it says anything."""
    if value is None:
        return Checked(b"", text)
    try:
        action = parse_action(value, maps.parameter_name)
    except BadAction as fault:
        log.warning(str(fault))
        return Checked(b"", text)
    return _act(message, action, context, text)


def _act(message: Message, action: Action, context: str, text: bytes) -> Checked:
    """Do what a table asks for."""
    verb, argument = action
    kept = Checked(b"", text)
    if verb == "DUNNO":
        return kept
    if verb == "IGNORE":
        return Checked(b"", None)
    if verb == "HOLD":
        if not message.flags & HOLD:
            log_action(message, verb, context, text, argument)
            message.flags |= HOLD
        return kept
    if verb == "REJECT" and argument[0] not in "45":
        log.warning(f"bad DSN action in {argument} -- need 4.x.x or 5.x.x")
        argument = "4" + argument[1:]
    log_action(message, verb, context, text, argument)
    raw = argument.encode("utf-8", "surrogateescape")
    match verb:
        case "REJECT":
            message.reason = argument
            message.errors |= bits.DEFER if argument.startswith("4") else bits.CONTENT
            message.flags &= ~FILTER
        case "DISCARD":
            message.flags |= DISCARD
            message.flags &= ~FILTER
        case "PASS":
            message.flags &= ~FILTER
        case "FILTER":
            message.filter = raw
        case "REDIRECT":
            message.redirect = raw
            message.flags &= ~FILTER
        case "BCC":
            message.copies.append(argument)
        case "PREPEND":
            return Checked(raw, text)
        case "REPLACE":
            return Checked(b"", raw)
        case "STRIP":
            return Checked(b"", None)
    return kept
