"""smtp_header_checks, smtp_body_checks and their relatives: what is changed in messages on their way out.

Source: header_checks(5); postconf(5) smtp_header_checks, smtp_mime_header_checks, smtp_nested_header_checks,
smtp_body_checks.
"""

from __future__ import annotations

from typing import Final, NoReturn

from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.content.action import BadAction, parse_action
from pyfix.formats.mime import HeaderClass
from pyfix.runtime.log import log
from pyfix.tables.flags import CONTENT
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError

_SUPPORTED: Final = frozenset(("WARN", "INFO", "REPLACE", "PREPEND", "STRIP", "IGNORE", "DUNNO", "OK"))
_LOGGED: Final = {"WARN": "warning"}
_SHOWN: Final = 200


class CheckFailed(Exception):
    """A table could not be asked; the log has it."""


class Checks:
    """The tables of one main.cf."""

    def __init__(self, settings: SmtpClientSettings, prefix: str) -> None:
        """Open the tables; *prefix*: ``smtp`` or ``lmtp``."""
        self._prefix: Final = prefix

        def maps(name: str, value: tuple[str, ...]) -> Maps:
            return Maps(f"{prefix}_{name}", value, settings.snapshot, flags=CONTENT)

        self._headers: Final[dict[HeaderClass, Maps]] = {
            "header": maps("header_checks", settings.smtp_header_checks),
            "mime": maps("mime_header_checks", settings.smtp_mime_header_checks),
            "nested": maps("nested_header_checks", settings.smtp_nested_header_checks),
        }
        self._body: Final = maps("body_checks", settings.smtp_body_checks)
        self.local: Final = all(table.local for table in self.maps)
        """Whether all tables answer at once; else they are asked by find_header() and find_line()."""

    def __bool__(self) -> bool:
        """Tell whether there is any table."""
        return self.of_body or any(self._headers.values())

    @property
    def of_body(self) -> bool:
        """Whether body lines are looked at."""
        return bool(self._body)

    @property
    def maps(self) -> list[Maps]:
        """All tables."""
        return [*self._headers.values(), self._body]

    def header(self, queue_id: str, kind: HeaderClass, text: bytes) -> list[bytes]:
        """Return what becomes of a header, its lines separated by newlines: nothing, itself, others.

        Raises CheckFailed.
        """
        return self._check(queue_id, self._headers[kind], "header", text)

    def line(self, queue_id: str, text: bytes) -> list[bytes]:
        """Return what becomes of a line of the body.  Raises CheckFailed."""
        return self._check(queue_id, self._body, "body", text)

    async def find_header(self, queue_id: str, kind: HeaderClass, text: bytes) -> list[bytes]:
        """Do as header(), with tables that may wait."""
        return await self._find(queue_id, self._headers[kind], "header", text)

    async def find_line(self, queue_id: str, text: bytes) -> list[bytes]:
        """Do as line(), with tables that may wait."""
        return await self._find(queue_id, self._body, "body", text)

    def _check(self, queue_id: str, maps: Maps, context: str, text: bytes) -> list[bytes]:
        if not maps:
            return [text]
        try:
            value = maps.find_now(text.decode("utf-8", "surrogateescape"))
        except TableError:
            self._fail(queue_id, context)
        return self._acted(queue_id, maps, value, context, text)

    async def _find(self, queue_id: str, maps: Maps, context: str, text: bytes) -> list[bytes]:
        if not maps:
            return [text]
        try:
            value = await maps.find(text.decode("utf-8", "surrogateescape"))
        except TableError:
            self._fail(queue_id, context)
        return self._acted(queue_id, maps, value, context, text)

    def _fail(self, queue_id: str, context: str) -> NoReturn:
        log.warning(f"{queue_id}: {self._prefix} {context} checks lookup error")
        raise CheckFailed from None

    @staticmethod
    def _acted(queue_id: str, maps: Maps, value: str | None, context: str, text: bytes) -> list[bytes]:
        """Return what becomes of a text by what a table says of it."""
        if value is None:
            return [text]
        # Before its argument is looked at: nobody needs to mend what is not done anyway.
        if (value.split(None, 1) or [""])[0].upper() not in _SUPPORTED:
            log.warning(f"unsupported command in {maps.parameter_name} map: {value}")
            return [text]
        try:
            verb, argument = parse_action(value, maps.parameter_name)
        except BadAction as fault:
            log.warning(str(fault))
            return [text]
        if verb in ("DUNNO", "IGNORE"):
            return [text] if verb == "DUNNO" else []
        shown = text.decode("utf-8", "surrogateescape")[:_SHOWN]
        because = f": {argument}" if argument else ""
        log.info(f"{queue_id}: {_LOGGED.get(verb, verb.lower())}: {context} {shown}{because}")
        raw = argument.encode("utf-8", "surrogateescape")
        match verb:
            case "REPLACE":
                return [raw]
            case "PREPEND":
                return [raw, text]
            case "STRIP":
                return []
        return [text]
