"""postdrop(1): put a message from a local user into the maildrop folder.

It runs with the rights of setgid_group, so it trusts nothing of what it reads or inherits.
"""

from __future__ import annotations

import os
import sys

from pyfix.formats import records
from pyfix.formats.records import RecordError, decode_record, encode_record
from pyfix.runtime.console import (
    EX_NOPERM,
    EX_TEMPFAIL,
    EX_UNAVAILABLE,
    BadOption,
    CommandError,
    parse_options,
    read_settings,
    run_command,
)
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfix.config.snapshot import Snapshot
    from pyfix.queue.writer import QueueFileWriter

_USAGE = "usage: postdrop [-c config_dir] [-v] [-r]"
_PROTOCOL = "postdrop_protocol"
_ENVELOPE = frozenset(b"MCFSRVAin")
_CONTENT = frozenset(b"XLN")
_EXTRACTED = frozenset(b"EAR")
_ATTRIBUTES = frozenset(
    (b"encoding", b"rewrite_context", b"trace_flags", b"notify_flags", b"envelope_id", b"ret_flags", b"dsn_orig_rcpt")
)
_READY_MODE = 0o744
_BLOCK = 65536
_STATUS_BAD = 1
_STATUS_WRITE = 2
_STATUS_SIZE = 4


def main(argv: Sequence[str]) -> int:
    """Read one message as records from standard input; return the exit status, 0 when it is safe.

    Source: postdrop(1); postconf(5) authorized_submit_users, message_size_limit.
    """
    return run_command("postdrop", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    try:
        options, _words = parse_options(argv, "c:rv")
    except BadOption as error:
        print(f"postdrop: {error}", file=sys.stderr)
        raise CommandError(_USAGE) from None
    os.umask(0o077)
    snapshot = read_settings("postdrop", dict(options).get("c"), clean=True)
    _check_user(snapshot)
    os.chdir(snapshot.value("queue_directory"))
    return _receive(snapshot)


def _check_user(snapshot: Snapshot) -> None:
    value = snapshot.value("authorized_submit_users")
    if value == "static:anyone":
        return
    import pwd

    from pyfix.tables.matchlist import MatchList
    from pyfix.tables.table import TableError

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = "unknown"
    try:
        allowed = MatchList("authorized_submit_users", value, snapshot, strict=True).matches_string(name)
    except TableError as error:
        raise CommandError(str(error), EX_UNAVAILABLE) from error
    if not allowed:
        raise CommandError(f"User {name}({os.getuid()}) is not allowed to submit mail", EX_NOPERM)


def _reply(status: int, reason: str = "") -> None:
    from pyfix.formats.attributes import encode_pairs

    os.write(1, encode_pairs([("status", str(status)), ("reason", reason)]))


def _receive(snapshot: Snapshot) -> int:
    import time

    from pyfix.formats.attributes import encode_pairs
    from pyfix.queue.spool import MAILDROP, Spool
    from pyfix.queue.writer import QueueFileWriter, SizeLimitExceeded

    limit = int(snapshot.value("message_size_limit") or 0)
    spool = Spool((), 1)
    long_ids = snapshot.value("enable_long_queue_ids").lower() == "yes"
    try:
        writer = QueueFileWriter.create(spool, queue=MAILDROP, long_ids=long_ids, limit=limit * 2 if limit else 0)
    except OSError as error:
        raise CommandError(f"mail_queue_enter: create file maildrop: {error.strerror}", EX_TEMPFAIL) from error
    os.write(1, encode_pairs([("protocol", _PROTOCOL), ("queue_id", writer.queue_id)]))
    now = time.time()
    try:
        writer.append(encode_record(records.TIME, f"{int(now)} {int(now % 1 * 1000000)}".encode()))
        complete = _copy(writer)
        if not complete:
            writer.remove()
            return 0
        writer.complete()
        os.fchmod(writer.fd, _READY_MODE)
        os.fsync(writer.fd)
        writer.close()
    except SizeLimitExceeded:
        writer.remove()
        _reply(_STATUS_SIZE)
        return _STATUS_SIZE
    except RecordError as error:
        writer.remove()
        _reply(_STATUS_BAD, str(error))
        raise CommandError(f"uid={os.getuid()}: {error}") from error
    except OSError as error:
        writer.remove()
        _reply(_STATUS_WRITE, str(error.strerror))
        raise CommandError(f"uid={os.getuid()}: {error.strerror}", EX_TEMPFAIL) from error
    _wake_pickup(snapshot)
    _reply(0)
    return 0


def _copy(writer: QueueFileWriter) -> bool:
    """Copy checked records to the file; False when the sender went away before the end record.

    Raises RecordError for records that do not belong in a submission, OSError, SizeLimitExceeded.
    """
    allowed = _ENVELOPE
    buffer = b""
    while data := os.read(0, _BLOCK):
        buffer += data
        position = 0
        kept: list[bytes] = []
        while (found := decode_record(buffer, position, len(buffer))) is not None:
            kind, begin, after = found
            if kind not in allowed:
                raise RecordError(f"unexpected record type: {kind}")
            record = buffer[position:after]
            position = after
            if kind == records.MESSAGE:
                allowed = _CONTENT
            elif kind == records.EXTRACTED:
                allowed = _EXTRACTED
            elif kind == records.ATTRIBUTE:
                if buffer[begin:after].partition(b"=")[0] not in _ATTRIBUTES:
                    continue
            elif kind == records.END:
                kept.append(record)
                writer.append(b"".join(kept))
                return True
            kept.append(record)
        buffer = buffer[position:]
        if kept:
            writer.append(b"".join(kept))
    if buffer:
        log.warning(f"stdin: unexpected EOF {_missing(buffer)}")
        raise RecordError("malformed input")
    return False


def _missing(start: bytes) -> str:
    """Say what is missing of a record of which only the *start* has come."""
    length = 0
    for index, digit in enumerate(start[1:]):
        length |= (digit & 0x7F) << 7 * index
        if not digit & 0x80:
            return f"in data, record type {start[0]} length {length}"
    return f"reading length, record type {start[0]}"


def _wake_pickup(snapshot: Snapshot) -> None:
    from pyfix.runtime.ipc_sync import trigger

    try:
        trigger("public/" + snapshot.value("pickup_service_name"), b"W", 1)
    except OSError:
        # The mail system is down, or busy; pickup(8) looks by itself later.
        return
