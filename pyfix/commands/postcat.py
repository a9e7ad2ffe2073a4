"""postcat(1): show the records of queue files."""

from __future__ import annotations

import errno
import os
import re
import sys
import time

from pyfix.formats import records
from pyfix.formats.queueid import hash_folders, is_valid
from pyfix.formats.recordnames import RECORD_NAMES
from pyfix.formats.records import RecordError, decode_record, what_is_missing
from pyfix.runtime.console import BadOption, CommandError, enter_queue, parse_options, read_settings, run_command
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = (
    "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] "
    "[-h (header text)] [-q (access queue)] [-v] [file(s)...]"
)
_QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "saved")
_UNTERMINATED_NAME = "unterminated_text"
_FIRST = frozenset(b"\0/<>ACDFIKLMORSTVWcino")
"""Types with which a queue file may begin."""
_MOST_JUMPS = 10000
_LARGEST_OFFSET = 2**63 - 1
_UNKNOWN = "unknown_record_type"
_NAMES = {
    records.MILTER_COUNT: _UNKNOWN,
    records.DSN_ORIGINAL_RECIPIENT: "dsn_original_recipient",
    records.CREATE_TIME: "queue_file_create_time",
}
"""Names of records that old queue files have, or none, where they differ from what other programs call them."""
_NUMBER = re.compile(rb"\s*([-+]?\d+)").match


class Printer:
    """What the options ask for."""

    def __init__(self, letters: set[str]) -> None:
        self.envelope = "e" in letters
        self.header = "h" in letters
        self.body = "b" in letters
        if not (self.envelope or self.header or self.body):
            self.envelope = self.header = self.body = True
        self.offset = "o" in letters
        self._decimal = "d" in letters
        self._file = "f" in letters
        self.verbose = "v" in letters
        self.raw = {"r", "v"} <= letters
        """All records are shown in the order of the file."""
        self._out = sys.stdout.buffer

    def prefix(self, record: records.Record, path: str) -> bytes:
        """Return what stands before a record."""
        text = f"{path}: " if self._file else ""
        if self.offset:
            text += f"{record.offset:9d} "
        if self._decimal:
            text += f"{record.kind:3d} "
        return text.encode("utf-8", "surrogateescape")

    def write(self, data: bytes) -> None:
        """Write to standard output."""
        self._out.write(data)


class _Reader:
    """Reads records; unless *whole*, pointers are followed and padding is left out, which nobody sees."""

    def __init__(self, data: bytes, start: int, *, whole: bool) -> None:
        self._data = data
        self.position = start
        self._whole = whole
        self._jumps = 0

    def next(self) -> records.Record | None:
        """Return the next record, None at the end.  Raises RecordError."""
        data, asked_at = self._data, self.position
        while self.position < len(data):
            found = decode_record(data, self.position, len(data))
            if found is None:
                raise RecordError(what_is_missing(data[self.position :]))
            kind, begin, after = found
            self.position = after
            if self._whole or kind not in (records.POINTER, records.PADDING):
                return records.Record(kind, data[begin:after], asked_at)
            if kind == records.POINTER and not self.follow(data[begin:after]):
                raise RecordError(_malformed(data[begin:after]))
        return None

    def follow(self, pointer: bytes) -> bool:
        """Go where a pointer leads; tell whether it is one."""
        target = pointer.strip()
        if not target.isdigit():
            return False
        self._jumps += 1
        if int(target) and self._jumps < _MOST_JUMPS:
            self.position = int(target)
        return True


def _malformed(pointer: bytes) -> str:
    return f"malformed pointer record value: {os.fsdecode(pointer.lstrip())}"


def _value(kind: int, data: bytes, path: str) -> tuple[str, bytes] | None:
    """Return how a record's name and value are shown, None for an attribute that is none, which is told of."""
    data = data.partition(b"\0")[0]
    name = _NAMES.get(kind) or RECORD_NAMES.get(kind, _UNKNOWN)
    if kind == records.ATTRIBUTE:
        key, equals, value = (part.strip() for part in data.partition(b"="))
        if not key or not equals:
            what = "'=' after attribute name" if key else "attribute name"
            log.warning(f"{path}: malformed attribute: missing {what}: {os.fsdecode(data)}")
            return None
        if key == b"create_time":
            return "create_time", _date(value)
        return name, key + b"=" + value
    if kind in (records.TIME, records.WARN):
        return name, _date(data)
    return name, data


def _date(data: bytes) -> bytes:
    """Return the time that the number at the beginning is, which is 0 where there is none."""
    found = _NUMBER(data)
    try:
        return time.asctime(time.localtime(int(found[1]) if found else 0)).encode()
    except (OverflowError, ValueError, OSError):  # beyond the years of a calendar
        return data


class _Shower:
    """Shows one file, part by part."""

    def __init__(self, data: bytes, path: str, start: int, printer: Printer) -> None:
        self._path = path
        self._shown = path.encode("utf-8", "surrogateescape")
        self._printer = printer
        self._reader = _Reader(data, start, whole=printer.verbose)
        self._start = start
        self._content_offset = self._content_end = -1
        self._in_content = self._in_header = self._extracted = self._over = False
        self._line_begun = False

    def show(self) -> None:
        """Raises RecordError."""
        first = True
        while not self._over and (record := self._reader.next()) is not None:
            if first and not self._start and self._printer.envelope:
                self._printer.write(b"*** ENVELOPE RECORDS %b ***\n" % self._shown)
            first = False
            self._show(record)

    def _mark(self, record: records.Record, text: bytes) -> None:
        if self._printer.envelope:
            self._printer.write(self._printer.prefix(record, self._path) + b"*** %b %b ***\n" % (text, self._shown))

    def _show(self, record: records.Record) -> None:
        printer, kind = self._printer, record.kind
        if kind == records.SIZE and self._content_offset < 0 and not self._in_content and self._find_content(record):
            return
        if kind == records.MESSAGE:
            self._in_content = self._in_header = True
            self._mark(record, b"MESSAGE CONTENTS")
            if not printer.header and not printer.body:
                self._skip_content()
        elif kind == records.EXTRACTED:
            if self._in_content and self._line_begun and not (printer.verbose or printer.offset) and printer.envelope:
                printer.write(b"\n")
            self._in_content, self._extracted = False, True
            self._mark(record, b"HEADER EXTRACTED")
            self._over = not printer.envelope
        elif kind == records.END:
            self._mark(record, b"MESSAGE FILE END")
            if not self._extracted:
                log.warning(f"{self._path}: out-of-order message end marker")
            self._over = not printer.raw
        elif self._in_content and kind in (records.TEXT, records.UNTERMINATED):
            self._text(record)
        elif (printer.header if self._in_header else printer.body) if self._in_content else printer.envelope:
            value = _value(kind, record.data, self._path)
            if value is not None:
                printer.write(printer.prefix(record, self._path) + b"%b: %b\n" % (value[0].encode(), value[1]))
            if kind == records.POINTER and not printer.raw and not self._reader.follow(record.data):
                log.warning(f"{self._path}: {_malformed(record.data)}")
                raise CommandError("bad pointer record, or input is not seekable")

    def _find_content(self, record: records.Record) -> bool:
        """Learn from the size record where the content is; go there when nothing else is wanted, and say so."""
        words = record.data.split()
        if len(words) < 2 or not (words[0].isdigit() and words[1].isdigit()) or not (int(words[0]) and int(words[1])):
            log.warning(f"invalid size record: {os.fsdecode(record.data)}")
            return False
        size, self._content_offset = int(words[0]), int(words[1])
        self._content_end = self._content_offset + size
        if self._printer.envelope:
            return False
        self._reader.position = self._content_offset
        self._in_content = self._in_header = True
        return True

    def _skip_content(self) -> None:
        if not self._printer.envelope:
            self._over = True
        elif self._content_offset > 0:
            self._reader.position = self._content_end
            self._in_content = False

    def _text(self, record: records.Record) -> None:
        printer = self._printer
        if self._in_header and not self._line_begun and not _is_header(record.data):
            self._in_header = False
            if not printer.body:
                self._skip_content()
                return
        self._line_begun = record.kind == records.UNTERMINATED
        if printer.header if self._in_header else printer.body:
            _text(record, printer.prefix(record, self._path), printer)


def _show(data: bytes, path: str, start: int, printer: Printer) -> None:
    if start >= _LARGEST_OFFSET:
        raise CommandError(f"{path}: seek to {_LARGEST_OFFSET}: {os.strerror(errno.EINVAL)}")
    if not start and data and data[0] not in _FIRST:
        log.warning(f"{path}: input is not a valid queue file")
        return
    try:
        _Shower(data, path, start, printer).show()
    except RecordError as error:
        sys.stdout.flush()
        log.warning(f"{path}: {error}")
        raise CommandError("record read error") from error


def _is_header(line: bytes) -> bool:
    if line[:1] in (b" ", b"\t"):
        return True
    name, colon, _rest = line.partition(b":")
    return bool(colon and name) and all(33 <= byte <= 126 for byte in name.rstrip(b" \t"))


def _text(record: records.Record, prefix: bytes, printer: Printer) -> None:
    whole = record.kind == records.TEXT
    if printer.verbose:
        name = RECORD_NAMES[records.TEXT] if whole else _UNTERMINATED_NAME
        printer.write(prefix + b"%b: %b\n" % (name.encode(), record.data))
    else:
        printer.write(prefix + record.data + (b"\n" if whole or printer.offset else b""))


def _find(queue_id: str, hashed: Sequence[str], depth: int) -> str:
    if not is_valid(queue_id):
        raise CommandError(f"bad mail queue ID: {queue_id}")
    problem = os.strerror(errno.ENOENT)
    for queue in _QUEUES:
        folder = f"{queue}/{hash_folders(queue_id, depth)}" if queue in hashed else f"{queue}/"
        try:
            os.stat(folder + queue_id)
        except OSError as error:
            problem = error.strerror or problem
            if not isinstance(error, FileNotFoundError):
                break
        else:
            return folder + queue_id
    raise CommandError(f"open queue file {queue_id}: {problem}")


def main(argv: Sequence[str]) -> int:
    """Show the queue files that are named, or standard input; return the exit status.

    0: done, also when a file is no queue file; 1: an error.  Source: postcat(1).
    """
    return run_command("postcat", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    try:
        options, files = parse_options(argv, "bc:defhoqrs:v")
    except BadOption as error:
        print(f"postcat: {error}", file=sys.stderr)
        raise CommandError(_USAGE) from None
    values = dict(options)
    letters = set(values)
    offset = values.get("s", "0")
    if not offset.isdigit():
        raise CommandError(f"bad offset: {offset}")
    start = int(offset)
    printer = Printer(letters)
    snapshot = read_settings("postcat", values.get("c"))
    if not files:
        _show(sys.stdin.buffer.read(), "stdin", start, printer)
        return 0
    if "q" in letters:
        enter_queue(snapshot)
        hashed = snapshot.value("hash_queue_names").replace(",", " ").split()
        depth = int(snapshot.value("hash_queue_depth"))
        found = [(name, _find(name, hashed, depth)) for name in files]
    else:
        found = [(name, name) for name in files]
    for name, path in found:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except IsADirectoryError as error:
            log.warning(f"close {name}: {error.strerror}")
            continue
        except OSError as error:
            raise CommandError(f"open {path}: {error.strerror}") from error
        _show(data, path, start, printer)
    return 0
