"""The printed forms: ``name = value``, folded lines, JSON."""

from __future__ import annotations

from pyfix.config.blanks import split_blanks

__all__ = ["Layout", "fold", "json_pair", "width"]

_WIDTH = 80
_INDENT = "    "
_JSON_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Layout:
    """How a setting is printed: the options -f, -h, -H and -j."""

    def __init__(self, *, folded: bool = False, name: bool = True, value: bool = True, json: bool = False) -> None:
        self.folded = folded
        self.name = name
        self.value = value
        self.json = json

    def setting(self, name: str, value: str) -> str:
        """Return the line or lines of one setting; blanks in the value become one space each."""
        if self.json:
            return json_pair(name, value)
        if not self.value:
            return f"{name}\n"
        words = split_blanks(value)
        if self.name:
            words[:0] = [name, "="]
        return fold(words) if self.folded else " ".join(words) + "\n"


def fold(words: list[str]) -> str:
    """Return the words on lines of at most 80 bytes, as far as they allow it; the first ``=`` is never left."""
    lines: list[str] = []
    line = ""
    for index, word in enumerate(words):
        if not line and not lines:
            line = word
        elif width(line) + 1 + width(word) <= _WIDTH or (index == 1 and word == "="):
            line += f" {word}"
        else:
            lines.append(line)
            line = _INDENT + word
    lines.append(line)
    return "\n".join(lines) + "\n"


def width(text: str) -> int:
    """Return how many columns Postfix takes a text for: one a byte."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def json_pair(name: str, value: str) -> str:
    """Return one JSON object of one key, and a line end."""
    return f'{{"{_json_text(name)}": "{_json_text(value)}"}}\n'


def _json_text(text: str) -> str:
    return "".join(map(_json_character, text))


def _json_character(character: str) -> str:
    if character in _JSON_ESCAPES:
        return _JSON_ESCAPES[character]
    return f"\\u{ord(character):04X}" if character < " " or character == "\x7f" else character
