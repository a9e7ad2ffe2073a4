"""Text files of keys and values, as postmap(1) reads them: logical lines, quoted keys, comments.

Source: postmap(1), section "TABLE FILE FORMAT".
"""

from __future__ import annotations

import re

from pyfix.tables.file_values import encode_files
from pyfix.tables.notice import warn
from pyfix.tables.table import TableError, masked, valid_text

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

SPACE: Final = " \t\r\v\f\n"
"""White space as the C locale has it; str.strip() alone would also take Unicode's."""

_SIMPLE: Final = re.compile(r'([^ \t\r\v\f\n"\\]+)[ \t\r\v\f\n]+(.*)', re.DOTALL)
_QUOTED_KEY: Final = re.compile(
    r"""( (?: \\. | [^ \t\r\v\f\n"\\] | " (?: \\. | [^"\\] )* " )* )   # the key, quotes and all
        (\\ (?=\Z) )?                                                  # a backslash at the very end
        [ \t\r\v\f\n]* (.*)""",
    re.DOTALL | re.VERBOSE,
)


def read_text(path: str, what: str = "open") -> str:
    """Return the whole file, decoded so that every byte survives.  Raises TableError with Postfix's words."""
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read().decode(errors="surrogateescape")
    except IsADirectoryError as error:
        raise TableError(f"read {path}: {error.strerror}") from error
    except OSError as error:
        raise TableError(f"{what} {path}: {error.strerror}") from error


def logical_lines(text: str, path: str) -> Iterator[tuple[int, str]]:
    """Yield the number of the first line and the text of each logical line.

    A line that starts with white space continues the line before it; empty lines
    and comments are skipped, also between a line and its continuation.  What follows
    a null byte is left out, with a warning.
    """
    first = 0
    parts: list[str] = []
    led = False  # by white space, and so no line at all
    whole = "\0" not in text
    for number, line in enumerate(text.split("\n"), 1):
        content = line.lstrip(SPACE)
        if not content or content[0] == "#":
            continue
        if content is not line and line[0] in SPACE:
            if not first:
                first, led = number, True
            parts.append(line)
            continue
        if first:
            joined = "".join(parts) if len(parts) > 1 else parts[0]
            if not whole:
                joined = _before_nul(joined, path, first, number - 1)
            if led:
                _refuse_start(path, joined)
                led = False
            else:
                yield first, joined
        first, parts = number, [line]
    if first:
        joined = "".join(parts)
        if not whole:
            joined = _before_nul(joined, path, first, text.count("\n") + (text[-1:] != "\n"))
        if led:
            _refuse_start(path, joined)
        else:
            yield first, joined


def _before_nul(line: str, path: str, first: int, last: int) -> str:
    before, nul, _ = line.partition("\0")
    if nul:
        lines = f"{first}-{last}" if last > first else str(first)
        warn(f"{path}, line {lines}: text after null byte may be ignored")
    return before


def _refuse_start(path: str, line: str) -> None:
    data = line.encode(errors="surrogateescape")
    shown = data[:30].decode(errors="surrogateescape") + ("..." if len(data) > 30 else "")
    warn(f'{path}: logical line must not start with whitespace: "{shown}"')


class Malformed(Exception):
    """A line without a key and a value; its text says what is wrong."""


def split_entry(line: str) -> tuple[str, str]:
    """Split a logical line into key and value.  Raises Malformed.

    Double quotes around a key, or around a part of it, let it hold white space;
    they and backslashes stay part of the key.
    """
    trimmed = line.rstrip(SPACE)
    simple = _SIMPLE.fullmatch(trimmed)
    if simple is not None:
        return simple[1], simple[2]
    match = _QUOTED_KEY.fullmatch(trimmed)
    if match is not None and match[3].startswith('"') and match.end(1) == match.start(3):
        raise Malformed(f"unbalanced '\"' in '{line}'")
    if match is None or not match[3] or (not match[1] and not match[2]):
        raise Malformed("expected format: key whitespace value")
    return match[1] + (match[2] or ""), match[3]


def read_entries(path: str, *, ignoring: str = "", utf8: bool = False) -> Iterator[tuple[int, str, str]]:
    """Yield line number, key and value of each entry of the file; warn of the lines that are none.

    *ignoring* is what the caller's warnings end with; with *utf8* lines that are
    not valid UTF-8 are skipped with a warning.  Raises TableError for a file that cannot be read.
    """
    text = read_text(path, "open database" if ignoring else "open")
    yield from entries_of(text, path, ignoring=ignoring, utf8=utf8)


def entries_of(
    text: str, path: str, *, ignoring: str = "", utf8: bool = False, files: bool = False
) -> Iterator[tuple[int, str, str]]:
    """Do as read_entries() with text that was read already; with *files* the values name files to take in."""
    check = utf8 and not text.isascii()
    for number, line in logical_lines(text, path):
        if check and not valid_text(line):
            warn(f'{path}, line {number}: non-UTF-8 input "{masked(line)}" -- ignoring this line')
            continue
        try:
            key, value = split_entry(line)
        except Malformed as error:
            tail = ignoring or (" -- ignoring this line" if str(error).startswith("unbalanced") else "")
            warn(f"{path}, line {number}: {error}{tail}")
            continue
        if key[-1] == ":":
            warn(f'{path}, line {number}: record is in "key: value" format; is this an alias file?')
        if files:
            try:
                value = encode_files(value)
            except TableError as error:
                warn(f"{path}, line {number}: {error}: skipping this entry")
                continue
        yield number, key, value
