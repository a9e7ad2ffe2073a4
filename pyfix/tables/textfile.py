"""Text files of keys and values, as postmap(1) reads them: logical lines, quoted keys, comments.

Source: postmap(1), section "TABLE FILE FORMAT".
"""

from __future__ import annotations

import os

from pyfix.tables.file_values import encode_files
from pyfix.tables.notice import warn
from pyfix.tables.table import TableError, masked, valid_text

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence
    from typing import Final

SPACE: Final = " \t\r\v\f\n"
"""White space as the C locale has it; str.strip() alone would also take Unicode's."""

_WHITE: Final = (b" ", b"\t", b"\r", b"\v", b"\f")
_PIECE: Final = 65536
_NOT_WHITE: Final = bytes(code for code in range(128) if chr(code) not in SPACE)
_ORDINARY: Final = bytes(code for code in range(0x21, 0x7F) if chr(code) not in '"#:\\ABCDEFGHIJKLMNOPQRSTUVWXYZ')
"""What stands for itself in a key, folded or not, and at the beginning of a line."""
_LINES: Final = 1000


def read_text(path: str, what: str = "open", owners: list[int] | None = None) -> str:
    """Return the whole file, decoded so that every byte survives.  Raises TableError with Postfix's words.

    *owners* gets the id of its owner.
    """
    try:
        with open(path, "rb", buffering=0) as stream:
            if owners is not None:
                owners.append(os.fstat(stream.fileno()).st_uid)
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


def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    import re  # for lines that need it only

    simple = re.compile(r'([^ \t\r\v\f\n"\\]+)[ \t\r\v\f\n]+(.*)', re.DOTALL)
    quoted_key = re.compile(
        r"""( (?: \\. | [^ \t\r\v\f\n"\\] | " (?: \\. | [^"\\] )* " )* )   # the key, quotes and all
            (\\ (?=\Z) )?                                                  # a backslash at the very end
            [ \t\r\v\f\n]* (.*)""",
        re.DOTALL | re.VERBOSE,
    )
    return simple, quoted_key


_compiled: Final[list[re.Pattern[str]]] = []


def split_entry(line: str) -> tuple[str, str]:
    """Split a logical line into key and value.  Raises Malformed.

    Double quotes around a key, or around a part of it, let it hold white space;
    they and backslashes stay part of the key.
    """
    if not _compiled:
        _compiled.extend(_patterns())
    trimmed = line.rstrip(SPACE)
    simple = _compiled[0].fullmatch(trimmed)
    if simple is not None:
        return simple[1], simple[2]
    match = _compiled[1].fullmatch(trimmed)
    if match is not None and match[3].startswith('"') and match.end(1) == match.start(3):
        raise Malformed(f"unbalanced '\"' in '{line}'")
    if match is None or not match[3] or (not match[1] and not match[2]):
        raise Malformed("expected format: key whitespace value")
    return match[1] + (match[2] or ""), match[3]


def plain_entries(data: bytes, *, folds: bool, end: bytes) -> tuple[Sequence[bytes], Sequence[bytes]] | None:
    """Return keys and values of a file in which there is nothing to say about any line; None for any other.

    That is a file in ASCII, without continued lines, quotes in keys, and lines that are no entries; several times
    as quick as read_entries().  Keys are folded when *folds*; *end* (no white space) is added to each key and value.
    """
    if not data.isascii() or b"\0" in data:
        return None
    comments = data[:1] == b"#" or b"\n#" in data
    shape = data.translate(None, _NOT_WHITE)
    white = shape[:1]
    even = white in _WHITE and shape[1:2] == b"\n" and shape == shape[:2] * (len(shape) // 2)
    if even and not comments:
        # One blank on each line.
        words = _words(data, white, end)
        if words is not None:
            keys, values = words
            if not _all_plain(data, keys, end):
                return None
            return (_folded(keys) if folds and data.lower() != data else keys), values
    if any(b"\n" + white in data or data[:1] == white for white in _WHITE):
        return None
    lines = data.split(b"\n")
    if comments:
        lines = [line for line in lines if line[:1] != b"#"]
    if data[-1:] in _WHITE or any(white + b"\n" in data for white in _WHITE):
        lines = [line.rstrip() for line in lines]
    parts = [line.split(None, 1) for line in lines if line]
    if not parts:
        return (), ()
    if set(map(len, parts)) != {2}:
        return None
    first, second = zip(*parts, strict=True)
    if not _all_plain(data, first, b""):
        return None
    ending = end + b"\n"
    keys = (ending.join(first) + end).split(b"\n")
    return _folded(keys) if folds else keys, (ending.join(second) + end).split(b"\n")


class NotPlain(Exception):
    """plain_entries() would not take the file."""


def plain_pieces(data: bytes, *, folds: bool, end: bytes) -> Iterator[tuple[Sequence[bytes], Sequence[bytes]]]:
    """Do as plain_entries(), some thousand lines at a time.  Raises NotPlain, maybe only behind some pieces."""
    begin, size = 0, len(data)
    while begin < size:
        stop = data.find(b"\n", begin + _PIECE) + 1 or size
        entries = plain_entries(data[begin:stop], folds=folds, end=end)
        if entries is None:
            raise NotPlain
        yield entries
        begin = stop


def in_order(data: bytes) -> bytes:
    """Return the lines of a file by their beginnings, for plain_entries(); any file that it would not take, as it is.

    A file in the order of its keys is made several times as quickly by what keeps them in a tree.
    """
    if not data.isascii():
        return data
    from bisect import bisect_right  # for who makes a table only

    lines = data.decode("ascii").split("\n")  # texts are compared more quickly than bytes
    lines.sort()
    del lines[: bisect_right(lines, "")]
    lines.append("")
    return "\n".join(lines).encode("ascii")


class EvenLines:
    """The entries of a file in order, for what keeps them in a tree; gone through in pieces, as they are stored."""

    def __init__(self, lines: Sequence[str], white: str, end: str) -> None:
        """*white* parts each line in two words, to which *end* is added."""
        self._lines: Final = lines
        self._white: Final = white
        self._end: Final = end

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[Sequence[bytes], Sequence[bytes]]]:
        end, white = self._end, self._white
        for begin in range(0, len(self._lines), _LINES):  # so few stay in the processor's cache
            lines = (end + "\n").join(self._lines[begin : begin + _LINES]) + end
            words = lines.replace(white, end + white).encode("ascii").split()
            yield words[::2], words[1::2]


def even_lines(data: bytes, *, end: bytes) -> EvenLines | None:
    """Return the entries of a file of the plainest kind; None for any other.

    That is one in ASCII with two words on each line, one character of white space between them, and nowhere a capital
    or a character that can mean anything else.
    """
    shape = data.translate(None, _ORDINARY)  # one look at each byte tells all of that
    white = shape[:1]
    if white not in _WHITE or shape[1:2] != b"\n" or shape != shape[:2] * (len(shape) // 2) or white + b"\n" in data:
        return None
    lines = data.decode("ascii").split("\n")  # texts are compared more quickly than bytes
    lines.sort()
    del lines[0]  # what is behind the last newline
    if lines[0][0] == white.decode():
        return None
    return EvenLines(lines, white.decode(), end.decode())


def _words(data: bytes, white: bytes, end: bytes) -> tuple[list[bytes], list[bytes]] | None:
    """Return the words before and after the one *white* of each line, with *end* added; None when one is missing."""
    keys: list[bytes] = []
    values: list[bytes] = []
    begin, size = 0, len(data)
    while begin < size:  # a piece at a time stays in the processor's cache
        stop = data.find(b"\n", begin + _PIECE) + 1 or size
        piece = data[begin:stop]
        if piece[:1] == white or b"\n" + white in piece or white + b"\n" in piece:
            return None
        words = piece.replace(b"\n", end + b"\n").replace(white, end + white).split()
        keys += words[::2]
        values += words[1::2]
        begin = stop
    return keys, values


def _all_plain(data: bytes, keys: Sequence[bytes], end: bytes) -> bool:
    """Say whether no key has a quote or backslash, or a colon before its *end*."""
    if b'"' not in data and b"\\" not in data and b":" not in data:
        return True
    joined = b"\n".join(keys) + b"\n"
    return b'"' not in joined and b"\\" not in joined and b":" + end + b"\n" not in joined


def _folded(keys: Sequence[bytes]) -> list[bytes]:
    return b"\n".join(keys).lower().split(b"\n")


def read_entries(
    path: str, *, ignoring: str = "", utf8: bool = False, owners: list[int] | None = None
) -> Iterator[tuple[int, str, str]]:
    """Yield line number, key and value of each entry of the file; warn of the lines that are none.

    *ignoring* is what the caller's warnings end with; with *utf8* lines that are
    not valid UTF-8 are skipped with a warning; *owners* gets the id of the file's owner.  Raises TableError for a file
    that cannot be read.
    """
    text = read_text(path, "open database" if ignoring else "open", owners)
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
