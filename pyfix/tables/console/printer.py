"""Lines in and out: keys, values, and pairs of both in either form."""

from __future__ import annotations

import sys

from pyfix.tables.file_values import decode_value

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final


def write_line(text: str) -> None:
    """Write a line to standard output, with bytes that are not UTF-8 as they are."""
    sys.stdout.buffer.write(text.encode(errors="surrogateescape") + b"\n")


_JSON_ESCAPES: Final = {code: f"\\u{code:04X}" for code in [*range(32), 127]} | {
    ord('"'): '\\"', ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r",
}  # fmt: skip


def json_text(text: str) -> str:
    """Return *text* as a JSON string."""
    return '"' + text.translate(_JSON_ESCAPES) + '"'


class Printer:
    """How answers are shown: as key, blank and value, or as JSON; postalias has a colon behind the key."""

    def __init__(self, separator: str, *, json: bool = False, files: bool = False) -> None:
        """With *files*, values are base64 of the contents of files, which are shown."""
        self._separator: Final = separator
        self._json: Final = json
        self._files: Final = files

    def shown(self, table: str, key: str, value: str) -> str:
        """Return a value as it is to be shown.  Raises TableError."""
        if not self._files or not value:
            return value
        content = decode_value(table, key, value)
        # What is shown ends at a NUL byte.
        return content.partition(b"\0")[0].decode(errors="surrogateescape")

    def pair(self, key: str, value: str) -> None:
        """Show a key with its value."""
        if self._json:
            write_line(f"{{{json_text(key)}: {json_text(value)}}}")
        else:
            write_line(f"{key}{self._separator}{value}")

    def answer(self, key: str, value: str) -> None:
        """Show the answer to the one question of the command line."""
        if self._json:
            self.pair(key, value)
        else:
            write_line(value)


def input_lines() -> Iterator[str]:
    """Yield the lines of standard input, each up to its first NUL."""
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").partition(b"\0")[0].decode(errors="surrogateescape")
