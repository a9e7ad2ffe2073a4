"""Text files of keys and values, as postmap(1) reads them: logical lines, quoted keys, comments.

Source: postmap(1), section "TABLE FILE FORMAT".
"""

from __future__ import annotations

import re

from pyfix.tables.file_values import encode_files
from pyfix.tables.notice import warn
from pyfix.tables.table import TableError, masked

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
    and comments are skipped, also between a line and its continuation.
    """
    first, parts = 0, [""]
    for number, line in enumerate(text.split("\n"), 1):
        content = line.lstrip(SPACE)
        if not content or content[0] == "#":
            continue
        if content is not line and line[0] in SPACE:
            parts.append(line)
            continue
        if first:
            yield first, "".join(parts) if len(parts) > 1 else parts[0]
        elif len(parts) > 1:
            _refuse_start(path, parts)
        first, parts = number, [line]
    if first:
        yield first, "".join(parts)
    elif len(parts) > 1:
        _refuse_start(path, parts)


def _refuse_start(path: str, parts: list[str]) -> None:
    warn(f'{path}: logical line must not start with whitespace: "{"".join(parts)[:30]}"')


class Malformed(Exception):
    """A line without a key and a value; its text says what is wrong."""


def split_entry(line: str) -> tuple[str, str]:
    """Split a logical line into key and value.  Raises Malformed.

    Double quotes around a key, or around a part of it, let it hold white space;
    they and backslashes stay part of the key.
    """
    line = line.rstrip(SPACE)
    simple = _SIMPLE.fullmatch(line)
    if simple is not None:
        return simple[1], simple[2]
    match = _QUOTED_KEY.fullmatch(line)
    if match is None or (not match[1] and not match[2]):
        raise Malformed("expected format: key whitespace value")
    if match[3].startswith('"') and match.end(1) == match.start(3):
        raise Malformed(f"unbalanced '\"' in '{line}'")
    if not match[3]:
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
    clean = text.isascii() and "\0" not in text
    for number, whole in logical_lines(text, path):
        line = whole
        if not clean:
            cut = line.find("\0")
            if cut >= 0:
                warn(f"{path}, line {number}: text after null byte may be ignored")
                line = line[:cut]
            if utf8 and any("\udc80" <= c <= "\udcff" for c in line):
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
