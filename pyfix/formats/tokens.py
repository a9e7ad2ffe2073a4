"""Tokens of RFC 822 addresses and of headers that hold address lists, as Postfix reads and writes them.

A *single address* (what trivial-rewrite gets) is one run of tokens of which only the last ``@`` and a few more have a
meaning.  An *address list* (the body of From:, To: ...) has display names, ``<...>``, comments and groups;
address_list.py reads it.  Source: RFC 822 section 3.3; what trivial-rewrite(8) makes of such text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pyfix.formats.address import quote_address, quote_text

__all__ = [
    "ATOM",
    "COMMENT",
    "LITERAL",
    "OPERATOR",
    "QUOTED",
    "Token",
    "external_text",
    "internal_text",
    "quoted_text",
    "scan",
    "word_text",
]

ATOM: Final = 0
QUOTED: Final = 1
LITERAL: Final = 2
COMMENT: Final = 3
OPERATOR: Final = 4

Token = tuple[int, str]
"""Kind and text.  Text is unquoted for ATOM and QUOTED; LITERAL keeps its brackets and COMMENT its parentheses."""

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<atom>(?:[^ \t\r\n()<>@,;:\\".\[\]%!|]|\\[\s\S]?)+)
    |(?P<operator>[)<>@,;:.\]%!|])
    |"(?P<quoted>(?:[^"\\]|\\[\s\S]?)*)"?
    |(?P<literal>\[(?:[^\]\\]|\\[\s\S]?)*)\]?
    |(?P<comment>\()
    |\Z)""",
    re.VERBOSE,
)
_COMMENT_PART = re.compile(r"[^()\\]+|\\[\s\S]?|[()]")
_BACKSLASH = re.compile(r"\\([\s\S]?)")
_SPACE = re.compile(r"[ \t\r\n]")
_NOT_ATOM = re.compile(r"""[\x00-\x20\x7f()<>@,;:\\".\[\]%!|]""")


def scan(text: str, limit: int = 0) -> list[Token]:
    """Return the tokens of *text*, at most *limit* of them when it is not 0.

    An atom in which backslashes hide special characters counts as quoted.  Blanks outside of quotes are dropped, inside
    they become spaces; comments keep theirs.  An unclosed quote or literal ends with the text.
    """
    tokens: list[Token] = []
    position, end = 0, len(text)
    match_token = _TOKEN.match
    while position < end:
        match = match_token(text, position)
        assert match is not None  # the last alternative matches where the others do not
        position = match.end()
        kind = match.lastgroup
        if kind == "atom":
            word = match["atom"]
            if "\\" in word:
                word = _unescape(word)
                tokens.append((QUOTED if _NOT_ATOM.search(word) else ATOM, word))
            else:
                tokens.append((ATOM, word))
        elif kind == "operator":
            tokens.append((OPERATOR, match["operator"]))
        elif kind == "quoted":
            tokens.append((QUOTED, _unescape(_SPACE.sub(" ", match["quoted"]))))
        elif kind == "literal":
            tokens.append((LITERAL, _unescape(_SPACE.sub(" ", match["literal"])) + "]"))
        elif kind == "comment":
            start, depth = match.start("comment"), 1
            while depth and position < end:
                part = _COMMENT_PART.match(text, position)
                assert part is not None  # each character is in one of the three alternatives
                position = part.end()
                depth += 1 if part[0] == "(" else -1 if part[0] == ")" else 0
            tokens.append((COMMENT, text[start:position]))
        if limit and len(tokens) >= limit:
            break
    return tokens


def _unescape(text: str) -> str:
    return _SPACE.sub(" ", _BACKSLASH.sub(r"\1", text)) if "\\" in text else text


def word_text(token: Token) -> str:
    """Return *token* in external form: quoted strings, and atoms that are none without their backslashes, in quotes."""
    kind, text = token
    if kind == QUOTED or (kind == ATOM and _NOT_ATOM.search(text)):
        return quote_text(text)
    return text


def external_text(tokens: Iterable[Token]) -> str:
    """Return the words of one address as they go to trivial-rewrite(8): external form, nothing between words."""
    parts: list[str] = []
    after = ""
    for token in tokens:
        text = word_text(token)
        if after == ",":
            parts.append(" ")
        parts.append(text)
        after = text if token[0] == OPERATOR else ""
    return "".join(parts)


def internal_text(tokens: Iterable[Token]) -> str:
    """Return one address in internal form: no quotes, a space between adjacent words and after a comma."""
    parts: list[str] = []
    word_before = False
    after = ""
    for kind, text in tokens:
        word = kind != OPERATOR
        if after == "," or (word and word_before) or (after is not None and parts and text == "<" and not word):
            parts.append(" ")
        parts.append(text)
        word_before = word
        after = "" if word else text
    return "".join(parts)


def quoted_text(tokens: Iterable[Token]) -> str:
    """Return one address in external form: its internal form with what is before the last ``@`` quoted as a whole."""
    return quote_address(internal_text(tokens))
