"""Actions on the right-hand side of header_checks and body_checks tables.

Source: header_checks(5).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pyfix.formats.header import header_name_end
from pyfix.formats.status import split_status

_DEFAULT_STATUS: Final = "5.7.1"
_REFUSAL: Final = "message content rejected"
_WORD: Final = re.compile(r"(\S*)\s*(.*)", re.DOTALL)

LOGGED: Final = frozenset(
    ("WARN", "INFO", "FILTER", "PASS", "DISCARD", "HOLD", "PREPEND", "REPLACE", "REDIRECT", "BCC", "STRIP")
)
"""Actions that are logged and then carried out."""
SILENT: Final = frozenset(("IGNORE", "DUNNO", "OK"))


class BadAction(ValueError):
    """The right-hand side is none; the text is the warning to log."""


class UnknownAction(BadAction):
    """The verb is none."""


class Action(NamedTuple):
    """What to do with a line."""

    verb: str
    """In capital letters."""
    text: str


def parse_action(value: str, table: str) -> Action:
    """Read the right-hand side that the tables of parameter *table* gave.  Raises BadAction."""
    match = _WORD.match(value)
    assert match is not None  # it matches anything
    verb, text = match[1].upper(), match[2]
    if verb == "REJECT":
        return Action(verb, _refusal(text))
    if verb in SILENT:
        return Action("IGNORE" if verb == "IGNORE" else "DUNNO", text)
    if verb not in LOGGED:
        raise UnknownAction(f"unknown command in {table} map: {value}")
    _check(verb, text, table)
    return Action(verb, text)


def _refusal(text: str) -> str:
    status, reason = split_status(text, _DEFAULT_STATUS)
    return f"{status} {reason or _REFUSAL}"


def _check(verb: str, text: str, table: str) -> None:
    if verb == "FILTER":
        if not text:
            raise BadAction(f"missing FILTER command argument in {table} map")
        if ":" not in text:
            raise BadAction(f"bad FILTER command {text} in {table} -- need transport:destination")
    elif verb in ("PREPEND", "REPLACE"):
        if not text:
            raise BadAction(f"{verb} action without text in {table} map")
        in_header = not table.endswith("body_checks")
        if in_header and not header_name_end(text.encode("utf-8", "surrogateescape")):
            raise BadAction(f'bad {verb} header text "{text}" in {table} map -- need "headername: headervalue"')
    elif verb in ("REDIRECT", "BCC") and "@" not in text:
        what = "REDIRECT target" if verb == "REDIRECT" else "BCC address"
        raise BadAction(f'bad {what} "{text}" in {table} map -- need user@domain')
