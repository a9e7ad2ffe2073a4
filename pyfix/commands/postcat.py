"""postcat(1): show the records of queue files."""

from __future__ import annotations

import errno
import os
import sys
import time

from pyfix.formats import records
from pyfix.formats.queueid import hash_folders, is_valid
from pyfix.formats.records import RecordError, decode_record
from pyfix.runtime.console import BadOption, CommandError, parse_options, read_settings, run_command
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_USAGE = (
    "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] "
    "[-h (header text)] [-q (access queue)] [-v] [file(s)...]"
)
_QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "saved")
_NAMES = {
    records.SIZE: "message_size",
    records.TIME: "message_arrival_time",
    records.CREATE_TIME: "create_time",
    records.FULL_NAME: "sender_fullname",
    records.INSPECTOR: "content_inspector",
    records.FILTER: "content_filter",
    records.SENDER: "sender",
    records.DONE: "done_recipient",
    records.RECIPIENT: "recipient",
    records.ORIGINAL_RECIPIENT: "original_recipient",
    records.CANCELED_RECIPIENT: "canceled_recipient",
    records.WARN: "warning_message_time",
    records.ATTRIBUTE: "named_attribute",
    records.KILLED: "killed_record",
    records.REDIRECT: "redirect_to",
    records.FLAGS: "flags",
    records.TEXT: "regular_text",
    records.PADDING: "padding",
    records.RETURN_RECEIPT: "return_receipt",
    records.ERRORS_TO: "errors_to",
    records.PRIORITY: "priority",
    records.POINTER: "pointer_record",
    records.VERP: "verp_delimiters",
    records.DSN_RET: "dsn_return_flags",
    records.DSN_ENVELOPE_ID: "dsn_envelope_id",
    records.DSN_ORIGINAL_RECIPIENT: "dsn_orig_rcpt",
    records.DSN_NOTIFY: "dsn_notify_flags",
    records.MILTER_COUNT: "milter_count",
}
_UNTERMINATED_NAME = "unterminated_text"
_FIRST = (records.SIZE, records.TIME, records.FULL_NAME, records.SENDER, records.ATTRIBUTE)


class Printer:
    """What the options ask for."""

    def __init__(self, letters: set[str]) -> None:
        self.envelope = "e" in letters
        self.header = "h" in letters
        self.body = "b" in letters
        if not (self.envelope or self.header or self.body):
            self.envelope = self.header = self.body = True
        self._offset = "o" in letters
        self._decimal = "d" in letters
        self._file = "f" in letters
        self.verbose = "v" in letters
        self.raw = "r" in letters
        self._out = sys.stdout.buffer

    def prefix(self, record: records.Record, path: str) -> bytes:
        """Return what stands before a record."""
        text = f"{path}: " if self._file else ""
        if self._offset:
            text += f"{record.offset:9d} "
        if self._decimal:
            text += f"{record.kind:3d} "
        return text.encode("utf-8", "surrogateescape")

    def write(self, data: bytes) -> None:
        """Write to standard output."""
        self._out.write(data)


def _walk(data: bytes, start: int, *, raw: bool) -> Iterator[records.Record]:
    """Yield records, following pointers unless *raw*.  Raises RecordError."""
    position, end, jumps = start, len(data), 0
    while position < end:
        found = decode_record(data, position, end)
        if found is None:
            raise RecordError(f"the record at {position} is cut off")
        kind, begin, after = found
        record = records.Record(kind, data[begin:after], position)
        yield record
        if kind == records.END and not raw:
            return
        position = after
        if kind == records.POINTER and not raw and record.data.strip().isdigit():
            target = int(record.data)
            jumps += 1
            if target and jumps < 10000:
                position = target


def _value(kind: int, data: bytes) -> tuple[str, bytes]:
    """Return how a record's name and value are shown."""
    name = _NAMES.get(kind, f"unknown_record_type_{kind}")
    if kind == records.ATTRIBUTE and data.startswith(b"create_time="):
        return "create_time", _date(data[len(b"create_time=") :])
    if kind in (records.TIME, records.CREATE_TIME):
        return name, _date(data)
    if kind == records.WARN:
        return name, _date(data) if data.strip() != b"0" else data
    return name, data


def _date(data: bytes) -> bytes:
    words = data.split()
    if not words or not words[0].isdigit():
        return data
    return time.asctime(time.localtime(int(words[0]))).encode()


def _show(data: bytes, path: str, start: int, printer: Printer) -> None:
    out = printer.write
    shown = path.encode("utf-8", "surrogateescape")
    if not start and (not data or data[0] not in _FIRST):
        log.warning(f"{path}: input is not a valid queue file")
        return
    in_content = in_header = line_begun = False
    if printer.envelope:
        out(b"*** ENVELOPE RECORDS %b ***\n" % shown)
    try:
        for record in _walk(data, start, raw=printer.raw):
            kind = record.kind
            prefix = printer.prefix(record, path)
            if kind == records.MESSAGE:
                in_content = in_header = True
                if printer.envelope:
                    out(prefix + b"*** MESSAGE CONTENTS %b ***\n" % shown)
            elif kind == records.EXTRACTED:
                in_content = False
                if printer.envelope:
                    out(prefix + b"*** HEADER EXTRACTED %b ***\n" % shown)
            elif kind == records.END:
                if printer.envelope:
                    out(prefix + b"*** MESSAGE FILE END %b ***\n" % shown)
            elif in_content and kind in (records.TEXT, records.UNTERMINATED):
                if in_header and not line_begun and not _is_header(record.data):
                    in_header = False
                line_begun = kind == records.UNTERMINATED
                if printer.header if in_header else printer.body:
                    _text(record, prefix, printer)
            elif printer.envelope if not in_content else (printer.verbose or printer.raw):
                name, value = _value(kind, record.data)
                out(prefix + b"%b: %b\n" % (name.encode(), value))
    except RecordError:
        log.warning(f"{path}: malformed record")


def _is_header(line: bytes) -> bool:
    if line[:1] in (b" ", b"\t"):
        return True
    name, colon, _rest = line.partition(b":")
    return bool(colon and name) and all(33 <= byte <= 126 for byte in name.rstrip(b" \t"))


def _text(record: records.Record, prefix: bytes, printer: Printer) -> None:
    whole = record.kind == records.TEXT
    if printer.verbose:
        name = _NAMES[records.TEXT] if whole else _UNTERMINATED_NAME
        printer.write(prefix + b"%b: %b\n" % (name.encode(), record.data))
    else:
        printer.write(prefix + record.data + (b"\n" if whole or printer.raw else b""))


def _find(queue_id: str, hashed: Sequence[str], depth: int) -> str:
    problem = os.strerror(errno.ENOENT)
    if is_valid(queue_id):
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
        os.chdir(snapshot.value("queue_directory"))
        hashed = snapshot.value("hash_queue_names").replace(",", " ").split()
        files = [_find(name, hashed, int(snapshot.value("hash_queue_depth"))) for name in files]
    for path in files:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise CommandError(f"open {path}: {error.strerror}") from error
        _show(data, path, start, printer)
    return 0
