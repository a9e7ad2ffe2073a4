"""The lines of cidr, regexp and pcre tables: patterns, flags, IF and ENDIF, replacement texts.

Source: cidr_table(5), regexp_table(5), pcre_table(5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

MATCH: Final = 0
IF: Final = 1
ENDIF: Final = 2

_SPACE: Final = " \t\r\v\f\n"
_OBSOLETE_FLAG: Final = "X"


class PatternError(Exception):
    """A line that is skipped, or a text that can't be used; it says why in Postfix's words."""

    def __init__(self, text: str, remarks: Sequence[str] = ()) -> None:
        """*remarks* are what is to be said before."""
        super().__init__(text)
        self.remarks: Final = remarks


class Statement:
    """One logical line of a table."""

    __slots__ = ("also", "flags", "kind", "negated", "pattern", "remarks", "text")

    def __init__(self, kind: int, pattern: str, text: str, *, negated: bool = False, flags: str = "") -> None:
        self.kind: Final = kind
        self.negated: Final = negated
        self.pattern: Final = pattern
        self.flags: Final = flags
        self.text = text
        """The result of a match, as written."""
        self.remarks: Final[list[str]] = []
        """What to warn of although the line is used."""
        self.also: Statement | None = None
        """Another expression that has to hold as well."""


def _word(line: str, word: str) -> str | None:
    """Return what follows IF or ENDIF, when the line begins with it as a word of its own."""
    if line[: len(word)].lower() != word or _is_word(line[len(word) : len(word) + 1]):
        return None
    return line[len(word) :].lstrip(_SPACE)


def _bytewise(text: str) -> str:
    """Return *text* with a character for each byte, as these tables read their lines."""
    return text if text.isascii() else text.encode(errors="surrogateescape").decode("latin-1")


def _textwise(text: str) -> str:
    """Undo _bytewise()."""
    return text if text.isascii() else text.encode("latin-1").decode(errors="surrogateescape")


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


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


def split_expression_line(
    line: str, known_flags: str, skipping: str = "skipping this rule", *, second: bool = False
) -> Statement | None:
    """Read a line of a regexp or pcre table; None for one that is ignored.  Raises PatternError.

    *known_flags* are the letters that may follow the expression; *skipping* ends the
    complaint about an expression that is not closed; with *second* a rule may have another expression behind the
    first and an exclamation mark.
    """
    try:
        statement = _split_expression_line(_bytewise(line.strip(_SPACE)), known_flags, skipping, second)
    except PatternError as error:
        raise PatternError(_textwise(str(error)), error.remarks) from None
    if statement is None or line.isascii():
        return statement
    return _statement_textwise(statement)


def _statement_textwise(statement: Statement) -> Statement:
    pattern, text = _textwise(statement.pattern), _textwise(statement.text)
    made = Statement(statement.kind, pattern, text, negated=statement.negated, flags=statement.flags)
    made.remarks.extend(map(_textwise, statement.remarks))
    if statement.also is not None:
        made.also = _statement_textwise(statement.also)
    return made


def _split_expression_line(line: str, known_flags: str, skipping: str, second: bool) -> Statement | None:
    rest = _word(line, "endif")
    if rest is not None:
        return Statement(ENDIF, "", rest)
    rest = _word(line, "if")
    kind = MATCH if rest is None else IF
    if rest is None and _is_word(line[:1]):
        raise PatternError("ignoring unrecognized request")
    statement, rest = _take_expression(kind, line if rest is None else rest, known_flags, skipping, second)
    if second and kind == MATCH and rest.startswith("!"):
        statement.also, rest = _take_expression(kind, rest, known_flags, skipping, second)
    text = rest.strip(_SPACE)
    if kind == IF and text:
        statement.remarks.append(f'ignoring extra text after IF statement: "{text}"')
        statement.remarks.append("do not prepend whitespace to statements between IF and ENDIF")
    elif kind == MATCH:
        statement.text = text
        if not text:
            statement.remarks.append("no replacement text: using empty string")
    return statement


def _take_expression(kind: int, line: str, known_flags: str, skipping: str, second: bool) -> tuple[Statement, str]:
    """Read exclamation marks, an expression and its flags; return them and what follows.  Raises PatternError."""
    negated, rest = _sign(line)
    if not rest:
        raise PatternError("no regexp: skipping this rule")
    delimiter, at = rest[0], 1
    while at < len(rest) and (rest[at] != delimiter or delimiter == "\\"):
        at += 2 if rest[at] == "\\" else 1
    if at >= len(rest):
        raise PatternError(f'no closing regexp delimiter "{delimiter}": {skipping}')
    end = at + 1
    remarks: list[str] = []
    while end < len(rest) and rest[end] not in _SPACE and not (second and rest[end] == "!"):
        if rest[end] not in known_flags:
            raise PatternError(f'unknown regexp option "{rest[end]}": skipping this rule', remarks)
        if rest[end] == _OBSOLETE_FLAG:
            remarks.append(f'ignoring obsolete regexp option "{_OBSOLETE_FLAG}"')
        end += 1
    statement = Statement(kind, rest[1:at], "", negated=negated, flags=rest[at + 1 : end])
    statement.remarks.extend(remarks)
    return statement, rest[end:]


def toggled(flags: str, letter: str) -> bool:
    """Say whether *letter* stands an odd number of times among *flags*: each time it turns the option around."""
    return bool(flags.count(letter) & 1)


class TemplateError(Exception):
    """A replacement text that can't be used; ``complaints`` has all that is wrong."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__(complaints[0].text)
        self.complaints: Final = complaints


class Complaint(NamedTuple):
    """What is wrong with a replacement text."""

    text: str
    anywhere: bool
    """The complaint does not name the table and line."""


Template = list[str | int]
"""Pieces of text, and numbers of the groups whose text stands between them."""

_CLOSING: Final = {"{": "}", "(": ")"}
_LARGEST: Final = 2**63 - 1
_INDEX: Final = 2**32 - 1


def parse_template(text: str, *, range_words: str = "out-of-range") -> Template:
    """Take a replacement text apart: ``$1``, ``${1}``, ``$(1)`` are groups, ``$$`` is a dollar sign.

    Group numbers are those of a C program with numbers of 32 bits.  Raises TemplateError.
    """
    if "$" not in text:
        return [text] if text else []
    parts: Template = []
    complaints: list[Complaint] = []
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
        if following in _CLOSING:
            closing = _closing(text, dollar + 1)
            if closing is None:
                complaints.append(Complaint(f'truncated macro reference: "{text}"', anywhere=True))
                break
            if complaints:
                break
            name, at = text[dollar + 2 : closing], closing + 1
        else:
            at = dollar + 1
            while at < end and (_is_word(text[at]) or text[at] == "_"):
                at += 1
            name = text[dollar + 1 : at]
        if not name:
            complaints.append(Complaint(f'empty macro name: "{text}"', anywhere=True))
            break
        if not (name.isascii() and name.isdigit()):
            complaints.append(Complaint(f'non-numeric replacement index "{name}"', anywhere=False))
        elif not (number := min(int(name), _LARGEST) & _INDEX):
            complaints.append(Complaint(f'{range_words} replacement index "{name}"', anywhere=False))
        else:
            parts.append(number)
    if complaints:
        raise TemplateError(complaints)
    return parts


def _closing(text: str, opening: int) -> int | None:
    """Return where the bracket closes that *text* has at *opening*."""
    opener, depth = text[opening], 0
    for at in range(opening, len(text)):
        depth += (text[at] == opener) - (text[at] == _CLOSING[opener])
        if not depth:
            return at
    return None


def shown_index(number: int) -> int:
    """Return a group number as complaints show it: as a signed one."""
    return number - 2**32 if number >= 2**31 else number
