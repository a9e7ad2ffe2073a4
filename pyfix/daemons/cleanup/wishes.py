"""What a client asks of cleanup(8) before the records of its message: an attribute list with nothing but flags.

The list and the records come over one connection, so that what is no part of the list is the beginning of a record.
The warnings are those of Postfix's reader of attribute lists.
"""

from __future__ import annotations

import re
from typing import Final

from pyfix.daemons.cleanup.source import EndOfInput, RecordSource
from pyfix.formats.number import in_32_bits
from pyfix.formats.textforms import printable
from pyfix.runtime.log import log
from pyfix.runtime.stream import StreamTimeout

_FROM: Final = "from cleanup socket"
_ON: Final = "on cleanup socket"
_LONGEST: Final = 4096
"""Bytes of a name or value that are kept."""
_NUMBER: Final = re.compile(rb"\s*([+-]?)0*([0-9]+)")
_MOST_DIGITS: Final = 20
_ALL_ONES: Final = 0xFFFFFFFF


class BadWishes(Exception):
    """The client has not said what it wants; the log has been told."""


async def read_flags(source: RecordSource) -> int:
    """Take the list; return the flags.  Raises BadWishes, StreamClosed, StreamTimeout."""
    name = await _word(source, "name", first=True)
    if not name:
        raise _bad(f"missing attribute flags in input {_FROM}")
    if name != b"flags":
        raise _bad(f"unexpected attribute {_shown(name)} {_FROM} (expecting: flags)")
    value = await _word(source, "value")
    flags = _number(value)
    if flags is None:
        raise _bad(f"malformed numerical data {_FROM} while reading input attribute value: {_shown(value[:100])}")
    name = await _word(source, "name")
    if name:
        log.warning(f"unexpected attribute {_shown(name)} {_FROM} (expecting: (list terminator))")
    return flags


async def _word(source: RecordSource, what: str, *, first: bool = False) -> bytes:
    """Take the text before the next null byte."""
    reading = f"while reading input attribute {what}"
    word = b""
    begun = False
    while True:
        end = source.data.find(b"\0", source.position)
        piece = source.data[source.position : end if end >= 0 else len(source.data)]
        begun = begun or bool(piece)
        word += piece[: _LONGEST - len(word)]
        if end >= 0:
            source.position = end + 1
            return word
        source.position = len(source.data)
        try:
            await source.more()
        except EndOfInput:
            if begun:
                raise _bad(f"unexpected end-of-input {_FROM} {reading}") from None
            if first:
                raise BadWishes from None
            raise _bad(f"premature end-of-input {_ON} {reading}") from None
        except StreamTimeout:
            if begun:
                log.warning(f"unexpected end-of-input {_FROM} {reading}")
            elif not first:
                log.warning(f"timeout {_ON} {reading}")
            raise


def _number(value: bytes) -> int | None:
    """Return the bits that a number stands for; None for what is none."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    sign, digits = found.groups()
    size = int(digits) if len(digits) <= _MOST_DIGITS else 1 << 64
    if size >> 64:
        size, sign = _ALL_ONES, b""
    return in_32_bits(-size if sign == b"-" else size)


def _shown(word: bytes) -> str:
    return printable(word.decode("utf-8", "surrogateescape"))


def _bad(text: str) -> BadWishes:
    log.warning(text)
    return BadWishes(text)
