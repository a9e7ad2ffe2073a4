"""SMTP command lines, cut into words.

Blanks separate words except inside quotes and angle brackets; ``FROM:`` and ``TO:`` end where their
colon is, so that ``MAIL FROM:<address>`` has three words.  Source: RFC 5321 section 4.1; the
tolerance of smtpd(8) for what clients really send.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final, NamedTuple

__all__ = ["BadSyntax", "CommandError", "Word", "command_text", "is_header_name", "split_words"]


class CommandError(Exception):
    """A command that can't be carried out; *reply* is what to say instead, *warning* what the log says besides."""

    def __init__(self, reply: str, warning: str = "") -> None:
        super().__init__(reply)
        self.reply = reply
        self.warning = warning


class BadSyntax(ValueError):
    """The line is not text that a command can be read from."""


class Word(NamedTuple):
    """One word of a command line."""

    text: str
    bracketed: bool = False
    """The word has ``<...>``, as strict_rfc821_envelopes wants an address to have."""
    unbalanced: bool = False
    """A quote or bracket is not closed before the line ends."""


_word: Final = partial(tuple.__new__, Word)
"""What Word() does, without the steps of a call in Python."""
_BLANK: Final = " \t\n\r\v\f"
_SPECIAL: Final = re.compile(r'[<"\\]')
_WORDS: Final = re.compile(r"[^ \t\n\r\v\f]+")
_PREFIX: Final = re.compile(r"(?:from|to):", re.IGNORECASE)
_PLAIN_RUN: Final = re.compile(r'[^ \t\n\r\v\f<"\\:]+')
_COMMON: Final = re.compile(
    r"([A-Za-z]+) ([Ff][Rr][Oo][Mm]:|[Tt][Oo]:) ?(<[!#-;=?-\[\]-~]*>)((?: [!#-9;=?-\[\]-~]+)*)\Z"
)
"""What nearly all clients send: a verb, one address in brackets without quotes, parameters."""
_HEADER: Final = re.compile(r"[!-9;-~]+[ \t]*:")


def command_text(line: bytes, *, utf8: bool) -> str:
    """Return a command line as text, up to its first NUL.

    Raises BadSyntax when *utf8* (postconf(5) smtputf8_enable) is on and the line is not UTF-8.
    """
    if b"\0" in line:
        line = line[: line.index(b"\0")]
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        if utf8:
            raise BadSyntax("bad UTF-8 syntax") from None
        return line.decode("utf-8", "surrogateescape")


def split_words(line: str) -> list[Word]:
    """Return the words of a command line; none for a line of blanks."""
    common = _COMMON.match(line)
    if common is not None:
        verb, prefix, path, parameters = common.groups()
        words = [_word((verb, False, False)), _word((prefix, False, False)), _word((path, True, False))]
        if parameters:
            words += [Word(text) for text in parameters.split()]
        return words
    if _SPECIAL.search(line) is None:
        if ":" not in line:
            return [_word((word, False, False)) for word in _WORDS.findall(line)]
        words = []
        for text in _WORDS.findall(line):
            _add_plain(text, words)
        return words
    return _split_carefully(line)


def _add_plain(text: str, words: list[Word]) -> None:
    while (prefix := _PREFIX.match(text)) is not None:
        words.append(Word(prefix[0]))
        text = text[prefix.end() :]
        if not text:
            return
    words.append(Word(text))


def _split_carefully(line: str) -> list[Word]:
    words: list[Word] = []
    position, end = 0, len(line)
    start = -1
    bracketed = unbalanced = False
    while position < end:
        character = line[position]
        if character in _BLANK:
            if start >= 0:
                words.append(Word(line[start:position], bracketed, unbalanced))
                start = -1
                bracketed = unbalanced = False
            position += 1
            continue
        if start < 0:
            start = position
        if character == "<":
            bracketed = True
            position, closed = _after_group(line, position, "<", ">")
            unbalanced |= not closed
        elif character == '"':
            position, closed = _after_group(line, position, '"', '"')
            unbalanced |= not closed
        elif character == "\\":
            position += 2
        elif character == ":":
            position += 1
            if line[start:position].lower() in ("from:", "to:"):
                words.append(Word(line[start:position]))
                start = -1
        else:
            run = _PLAIN_RUN.match(line, position)
            position = run.end() if run is not None else position + 1
    if start >= 0:
        words.append(Word(line[start:end], bracketed, unbalanced))
    return words


def _after_group(line: str, position: int, opening: str, closing: str) -> tuple[int, bool]:
    """Return the position after the group that opens at *position*, and whether it is closed."""
    depth = [closing]
    position += 1
    end = len(line)
    while position < end:
        character = line[position]
        position += 1
        if character == "\\":
            position += 1
        elif character == depth[-1]:
            depth.pop()
            if not depth:
                return position, True
        elif depth[-1] == ">":
            if character == '"':
                depth.append('"')
            elif character == "<":
                depth.append(">")
    return end, False


def is_header_name(line: str) -> bool:
    """Say whether *line* begins as a message header does: a name and a colon.

    A client that sends one mistakes us for somebody who asked for the message already.
    """
    return _HEADER.match(line) is not None
