"""The lines of cidr, regexp and pcre tables: patterns, flags, IF and ENDIF, replacement texts.

Source: cidr_table(5), regexp_table(5), pcre_table(5).
"""

from __future__ import annotations

from typing import Final

MATCH: Final = 0
IF: Final = 1
ENDIF: Final = 2

_SPACE: Final = " \t\r\v\f\n"


class PatternError(Exception):
    """A line that is skipped, or a text that can't be used; it says why in Postfix's words."""


class Statement:
    """One logical line of a table."""

    __slots__ = ("flags", "kind", "negated", "pattern", "remarks", "text")

    def __init__(self, kind: int, pattern: str, text: str, *, negated: bool = False, flags: str = "") -> None:
        self.kind: Final = kind
        self.negated: Final = negated
        self.pattern: Final = pattern
        self.flags: Final = flags
        self.text = text
        """The result of a match, as written."""
        self.remarks: Final[list[str]] = []
        """What to warn of although the line is used."""


def _word(line: str, word: str) -> str | None:
    """Return what follows IF or ENDIF, when the line begins with it as a word of its own."""
    if line[: len(word)].lower() != word or line[len(word) : len(word) + 1].isalnum():
        return None
    return line[len(word) :].lstrip(_SPACE)


def _sign(line: str) -> tuple[bool, str]:
    """Take the exclamation marks off the front; an odd number of them negates."""
    negated = False
    while line.startswith("!"):
        negated = not negated
        line = line[1:].lstrip(_SPACE)
    return negated, line


def split_cidr_line(line: str) -> Statement:
    """Read a line of a cidr table.  Raises PatternError."""
    line = line.strip(_SPACE)
    rest = _word(line, "endif")
    if rest is not None:
        if rest:
            raise PatternError("garbage after ENDIF: skipping this rule")
        return Statement(ENDIF, "", "")
    rest = _word(line, "if")
    kind = MATCH if rest is None else IF
    negated, rest = _sign(line if rest is None else rest)
    if kind == IF:
        pattern, text = rest, ""
    else:
        words = rest.split(None, 1)
        pattern, text = words[0] if words else "", words[1] if len(words) > 1 else ""
    if not pattern:
        raise PatternError("no address pattern: skipping this rule")
    return Statement(kind, pattern, text, negated=negated)


def split_expression_line(line: str, known_flags: str, skipping: str = "skipping this rule") -> Statement | None:
    """Read a line of a regexp or pcre table; None for one that is ignored.  Raises PatternError.

    *known_flags* are the letters that may follow the expression; *skipping* ends the
    complaint about an expression that is not closed.
    """
    line = line.strip(_SPACE)
    rest = _word(line, "endif")
    if rest is not None:
        statement = Statement(ENDIF, "", "")
        if rest:
            statement.remarks.append("ignoring extra text after ENDIF")
        return statement
    rest = _word(line, "if")
    kind = MATCH if rest is None else IF
    if rest is None and line[:1].isalnum():
        raise PatternError("ignoring unrecognized request")
    negated, rest = _sign(line if rest is None else rest)
    if not rest:
        raise PatternError("no regexp: skipping this rule")
    delimiter, at = rest[0], 1
    while at < len(rest) and rest[at] != delimiter:
        at += 2 if rest[at] == "\\" else 1
    if at >= len(rest):
        raise PatternError(f'no closing regexp delimiter "{delimiter}": {skipping}')
    pattern, end = rest[1:at], at + 1
    while end < len(rest) and rest[end] not in _SPACE:
        if rest[end] not in known_flags:
            raise PatternError(f'unknown regexp option "{rest[end]}": skipping this rule')
        end += 1
    flags, text = rest[at + 1 : end], rest[end:].strip(_SPACE)
    if kind == IF:
        statement = Statement(kind, pattern, "", negated=negated, flags=flags)
        if text:
            statement.remarks.append(f'ignoring extra text after IF statement: "{text}"')
            statement.remarks.append("do not prepend whitespace to statements between IF and ENDIF")
        return statement
    statement = Statement(kind, pattern, text, negated=negated, flags=flags)
    if not text:
        statement.remarks.append("no replacement text: using empty string")
    return statement


def toggled(flags: str, letter: str) -> bool:
    """Say whether *letter* stands an odd number of times among *flags*: each time it turns the option around."""
    return bool(flags.count(letter) & 1)


class TemplateError(Exception):
    """A replacement text that can't be used."""

    def __init__(self, complaint: str, *, anywhere: bool = False) -> None:
        """*anywhere*: the complaint does not name the table and line."""
        super().__init__(complaint)
        self.anywhere: Final = anywhere


Template = list[str | int]
"""Pieces of text, and numbers of the groups whose text stands between them."""


def parse_template(text: str, *, range_words: str = "out-of-range") -> Template:
    """Take a replacement text apart: ``$1``, ``${1}``, ``$(1)`` are groups, ``$$`` is a dollar sign.

    Raises TemplateError.
    """
    if "$" not in text:
        return [text] if text else []
    parts: Template = []
    at, end = 0, len(text)
    while at < end:
        dollar = text.find("$", at)
        if dollar < 0:
            parts.append(text[at:])
            break
        if dollar > at:
            parts.append(text[at:dollar])
        following = text[dollar + 1 : dollar + 2]
        if following == "$":
            parts.append("$")
            at = dollar + 2
            continue
        if following in ("{", "("):
            closing, depth = dollar + 1, 0
            opener, closer = following, "}" if following == "{" else ")"
            while closing < end:
                depth += (text[closing] == opener) - (text[closing] == closer)
                if not depth:
                    break
                closing += 1
            if closing >= end:
                raise TemplateError(f'truncated macro reference: "{text}"', anywhere=True)
            name, at = text[dollar + 2 : closing].strip(_SPACE), closing + 1
        else:
            at = dollar + 1
            while at < end and (text[at].isalnum() or text[at] == "_"):
                at += 1
            name = text[dollar + 1 : at]
        if not name:
            raise TemplateError(f'empty macro name: "{text}"', anywhere=True)
        if not (name.isascii() and name.isdigit()):
            raise TemplateError(f'non-numeric replacement index "{name}"')
        if int(name) < 1:
            raise TemplateError(f'{range_words} replacement index "{name}"')
        parts.append(int(name))
    return parts
