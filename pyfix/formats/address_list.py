"""Headers that hold address lists: find the addresses, and write the header again with other ones.

The reader works from right to left, as a display name is known by the ``<...>`` after it and a group by its ``;``, and
it mends what people write: missing commas, unclosed quotes, comments amid an address.
Source: RFC 822 section 6; what cleanup(8) makes of such headers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from pyfix.formats.address import is_standard
from pyfix.formats.tokens import COMMENT, OPERATOR, Token, external_text, quoted_text, scan, word_text

__all__ = ["FOLD_WIDTH", "AddressList", "rewrite_addresses"]

FOLD_WIDTH: Final = 70
"""A line to which one more address is added stays shorter than this, in bytes (its leading tab not counted)."""

_ATOM = r"[A-Za-z0-9_=+/#$&'*?^`{|}~-]++"
_PLAIN = rf"{_ATOM}(?>(?:\.{_ATOM})*)@[A-Za-z0-9_-]++(?>(?:\.[A-Za-z0-9_-]++)*)"
_NAME = rf"""(?:"[^"\\\r]*"|{_ATOM}(?:[ \t]+{_ATOM})*)"""
_ITEM = rf"[ \t\n]*(?:(?:{_NAME}[ \t\n]*)?<{_PLAIN}>|{_PLAIN})[ \t\n]*"
_SIMPLE_LIST = re.compile(rf"{_ITEM}(?:,{_ITEM})*\Z")
_SIMPLE_ADDRESS = re.compile(rf'"[^"]*"|({_PLAIN})(?=[ \t\n]*(?:[>,]|\Z))')


def _width(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


class AddressList:
    """The body of an address header: the addresses in it, and a way to put others in their places.

    ``addresses`` has each address in external form, in order, as cleanup(8) asks trivial-rewrite(8) about it.
    """

    __slots__ = ("_limit", "_literals", "_text", "addresses")

    def __init__(self, body: str, limit: int = 0) -> None:
        """Read *body*, what follows the colon.  *limit* is header_address_token_limit; 0 means none."""
        self._text = body
        self._limit = limit
        self._literals: list[str] | None = None
        self.addresses: Sequence[str]
        if _SIMPLE_LIST.match(body) and (not limit or len(body) < limit):
            self.addresses = [found for found in _SIMPLE_ADDRESS.findall(body) if found]
        else:
            self.addresses, self._literals = _parse(scan(body, limit))

    def header(self, name: str, addresses: Sequence[str]) -> str | None:
        """Return the header *name* with *addresses* in place of its own, lines separated by newlines.

        None means that nothing has changed and the header stays as it was written.
        """
        if addresses == self.addresses:
            return None
        literals = self._literals
        if literals is None:
            _, literals = _parse(scan(self._text, self._limit))
        parts = [name, ": ", literals[0]]
        for address, literal in zip(addresses, literals[1:], strict=True):
            parts.append(address if is_standard(address) else quoted_text(scan(address)))
            parts.append(literal)
        return _fold("".join(parts))


def rewrite_addresses(name: str, body: str, rewrite: Callable[[str], str]) -> str | None:
    """Return header *name* with each address of *body* rewritten, or None when none has changed."""
    addresses = AddressList(body)
    return addresses.header(name, [rewrite(address) for address in addresses.addresses])


def _fold(text: str) -> str:
    """Join the pieces between newlines to lines of less than FOLD_WIDTH characters where they are short enough."""
    if "\n" not in text:
        return text
    pieces = text.split("\n")
    lines = [pieces[0]]
    width = _width(pieces[0])
    for piece in pieces[1:]:
        if width + 1 + _width(piece) < FOLD_WIDTH:
            lines[-1] += " " + piece
            width += 1 + _width(piece)
        else:
            lines.append(piece if piece[:1] in ("\t", " ") else "\t" + piece)
            width = _width(piece)
    return "\n".join(lines)


_ADDRESS: Final = 5
_GROUP_START: Final = 6
_COMMA: Final[Token] = (OPERATOR, ",")


def _parse(tokens: Sequence[Token]) -> tuple[list[str], list[str]]:
    """Return (addresses, the literal text before, between and after them; a newline stands after each comma)."""
    nodes: list[Token] = []  # the last one first
    group = False
    index = len(tokens) - 1
    while index >= 0:
        kind, text = tokens[index]
        if kind != OPERATOR or (text not in ",;>" and not (group and text == ":")):
            index = _words(tokens, index, group, nodes)
            continue
        index -= 1
        if text == ":":
            nodes.append((_GROUP_START, ":"))
            while index >= 0 and tokens[index] != _COMMA:
                nodes.append(tokens[index])
                index -= 1
            continue
        nodes.append((OPERATOR, text))
        if text == ";":
            group = True
        elif text == ">":
            index = _route(tokens, index, nodes)
            index = _phrase(tokens, index, group, nodes)
    nodes.reverse()
    return _write(nodes)


def _words(tokens: Sequence[Token], index: int, group: bool, nodes: list[Token]) -> int:
    """Add the plain addresses that end at *index*, comments after each; return the index before them."""
    words: list[Token] = []  # of the address that is being read, the last one first
    comments: list[Token] = []
    while index >= 0:
        token = kind, text = tokens[index]
        if kind == COMMENT:
            comments.append(token)
        elif kind == OPERATOR:
            if text in ",;>" or (group and text == ":"):
                break
            words.append(token)
        else:
            if words and words[-1][0] != OPERATOR:
                nodes += comments
                nodes.append((_ADDRESS, external_text(reversed(words))))
                nodes.append(_COMMA)
                words, comments = [], []
            words.append(token)
        index -= 1
    nodes += comments
    if words:
        nodes.append((_ADDRESS, external_text(reversed(words))))
        if index >= 0 and tokens[index][1] in ";>":
            nodes.append(_COMMA)
    return index


def _route(tokens: Sequence[Token], index: int, nodes: list[Token]) -> int:
    """Add ``<address`` that ends at *index*, comments after the address; return the index before the ``<``."""
    words: list[Token] = []
    while index >= 0 and tokens[index] != (OPERATOR, "<"):
        if tokens[index][0] == COMMENT:
            nodes.append(tokens[index])
        else:
            words.append(tokens[index])
        index -= 1
    if words:
        nodes.append((_ADDRESS, external_text(reversed(words))))
    if index >= 0:
        nodes.append((OPERATOR, "<"))
    return index - 1


def _phrase(tokens: Sequence[Token], index: int, group: bool, nodes: list[Token]) -> int:
    """Add the display name that ends at *index*; return the index before it."""
    while index >= 0:
        kind, text = tokens[index]
        if kind == OPERATOR and text in ",;:>":
            if text == ":" and not group:
                nodes.append((OPERATOR, ":"))
                return index - 1
            return index
        nodes.append(tokens[index])
        index -= 1
    return index


def _write(nodes: Sequence[Token]) -> tuple[list[str], list[str]]:
    """Return the addresses among *nodes* and the text around them."""
    addresses: list[str] = []
    literals: list[str] = []
    parts: list[str] = []
    word_before = False
    before = ","
    for node in nodes:
        kind, text = node
        word = kind not in (OPERATOR, _GROUP_START)
        if (word and word_before) or (not word and text == "<" and before not in ",: "):
            parts.append(" ")
        word_before = word
        before = text if kind == OPERATOR and text == "," else " " if kind == _GROUP_START else "x"
        if kind == _ADDRESS:
            addresses.append(text)
            literals.append("".join(parts))
            parts = []
        elif kind == _GROUP_START:
            parts.append(": ")
        else:
            parts.append(",\n" if node == _COMMA else word_text(node))
    literals.append("".join(parts))
    return addresses, literals
