"""Text files of mail aliases, as postalias(1) reads them.  Source: aliases(5)."""

from __future__ import annotations

from pyfix.formats.tokens import OPERATOR, Token, internal_text, scan, word_text
from pyfix.tables.notice import warn
from pyfix.tables.table import masked, valid_text
from pyfix.tables.textfile import logical_lines

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class NotAnAlias(Exception):
    """A line that is none of an alias file; its text says why."""


def split_alias(line: str) -> tuple[str, str]:
    """Split a logical line into the alias, unquoted, and its list of recipients, written evenly.

    Raises NotAnAlias.
    """
    tokens = scan(line)
    try:
        colon = tokens.index((OPERATOR, ":"))
    except ValueError:
        raise NotAnAlias("need name:value pair") from None
    name, value = tokens[:colon], tokens[colon + 1 :]
    if not name or not value or (OPERATOR, ",") in name:
        raise NotAnAlias("need name:value pair")
    if (OPERATOR, "@") in name:
        raise NotAnAlias("name must be local and have no domain")
    return internal_text(name), list_text(value)


def list_text(tokens: Iterable[Token]) -> str:
    """Return a list of recipients in external form: a space after a comma, before ``<`` and between words."""
    parts: list[str] = []
    word_before = comma_before = False
    for token in tokens:
        text, word = word_text(token), token[0] != OPERATOR
        if parts and (comma_before or (word and word_before) or (not word and text == "<")):
            parts.append(" ")
        parts.append(text)
        word_before, comma_before = word, not word and text == ","
    if comma_before:
        parts.append(" ")
    return "".join(parts)


def aliases_of(text: str, path: str, *, utf8: bool = False) -> Iterator[tuple[int, str, str]]:
    """Yield line number, alias and recipients of each entry; warn of the lines that are none."""
    for number, line in logical_lines(text, path):
        if utf8 and not valid_text(line):
            warn(f'{path}, line {number}: non-UTF-8 input "{masked(line)}" -- ignoring this line')
            continue
        try:
            name, value = split_alias(line)
        except NotAnAlias as error:
            warn(f"{path}, line {number}: {error}")
            continue
        yield number, name, value
