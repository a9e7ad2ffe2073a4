"""The name of a person in a generated From: header: as a phrase before the address, or as a comment after it.

Source: RFC 5322 section 3.4, RFC 2047; postconf(5) header_from_format, full_name_encoding_charset.
"""

from __future__ import annotations

import base64
import re
from typing import Final

__all__ = ["clean_name", "comment_words", "encode_words", "phrase_words"]

_SPECIAL: Final = re.compile(r"""[()<>@,;:\\".\[\]%!]""")
_CONTROL: Final = re.compile(rb"[\x00-\x20\x7f]+")
_LONGEST_WORD: Final = 75
"""Characters of an encoded word, delimiters included.  Source: RFC 2047 section 2."""
_SHORT: Final = 20
"""A name of fewer bytes is encoded as Q in any case."""
_PHRASE: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!*+-/")
_COMMENT: Final = frozenset(range(0x21, 0x7F)) - frozenset(b"()=?_\\")


def clean_name(name: bytes) -> bytes:
    """Return *name* with a space for each run of blanks and control characters, and none at its ends."""
    return _CONTROL.sub(b" ", name).strip()


def phrase_words(name: bytes, charset: str) -> list[str]:
    """Return a clean name as the pieces of a phrase; a line may be folded between any two of them."""
    if not name.isascii():
        return encode_words(name, charset, _PHRASE)
    text = name.decode("ascii")
    if not _SPECIAL.search(text):
        return [text]
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def comment_words(name: bytes, charset: str) -> list[str]:
    """Return a clean name as the pieces of a comment, parentheses included."""
    words = encode_words(name, charset, _COMMENT) if not name.isascii() else [_balanced(name.decode("ascii"))]
    words[0] = f"({words[0]}"
    words[-1] += ")"
    return words


def _balanced(text: str) -> str:
    """Return *text* with its parentheses in pairs, and no lone backslash at its end."""
    parts: list[str] = []
    depth = position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\\":
            if position == len(text):
                break
            character += text[position]
            position += 1
        elif character == "(":
            depth += 1
        elif character == ")":
            if not depth:
                continue
            depth -= 1
        parts.append(character)
    return "".join(parts) + ")" * depth


def encode_words(name: bytes, charset: str, literal: frozenset[int]) -> list[str]:
    """Return *name* as encoded words; *literal* are the bytes that the Q encoding may leave as they are.

    The encoding is B for a long name of which half or more must be encoded, else Q.
    """
    strange = sum(byte not in literal for byte in name)
    if len(name) >= _SHORT and strange >= len(name) // 2:
        start, room = f"=?{charset}?B?", _LONGEST_WORD - len(charset) - 7
        size = room // 4 * 3
        pieces = [base64.b64encode(name[at : at + size]).decode("ascii") for at in range(0, len(name), size)]
        return [f"{start}{piece}?=" for piece in pieces]
    start, room = f"=?{charset}?Q?", _LONGEST_WORD - len(charset) - 7
    words: list[str] = []
    line = ""
    for byte in name:
        code = "_" if byte == 0x20 else chr(byte) if byte in literal else f"={byte:02X}"
        if len(line) + len(code) > room:
            words.append(line)
            line = ""
        line += code
    words.append(line)
    return [f"{start}{word}?=" for word in words]
