"""Which command a source file is for.  Source: postmap(1), postalias(1), aliases(5)."""

from __future__ import annotations

from pyfix.config.blanks import BLANK
from pyfix.config.main_cf import logical_lines
from pyfix.runtime.log import log

__all__ = ["command_for"]


def command_for(text: str) -> str:
    """Return ``postalias`` if each record is ``name: value``, else, and for none, ``postmap``."""
    lines = [line for _number, line in logical_lines(text, "unknown_stream", log.warning)]
    return "postalias" if lines and all(_is_alias(line) for line in lines) else "postmap"


def _is_alias(line: str) -> bool:
    key, value = _split(line)
    if value:
        return len(key) > 1 and key.endswith(":")
    name, colon, rest = key.partition(":")
    return bool(name and colon and rest)


def _split(line: str) -> tuple[str, str]:
    """Return what stands before the first blank outside of quotes, and what stands behind it."""
    quoted = False
    position = 0
    while position < len(line):
        character = line[position]
        if character == '"':
            quoted = not quoted
        elif character == "\\":
            position += 1
        elif character in BLANK and not quoted:
            break
        position += 1
    return line[:position], line[position:].strip(BLANK)
