"""postdrop(1): put a message from a local user into the maildrop folder.

It runs with the rights of setgid_group, so it trusts nothing of what it reads or inherits.
"""

from __future__ import annotations

import errno
import os
import sys

from pyfix.config.errors import ConfigError
from pyfix.formats import records
from pyfix.formats.recordnames import RECORD_NAMES
from pyfix.formats.records import RecordError, decode_record, encode_record
from pyfix.runtime.console import (
    EX_TEMPFAIL,
    BadOption,
    CommandError,
    enter_queue,
    parse_options,
    read_settings,
    run_command,
)
from pyfix.runtime.log import log
from pyfix.tables.localusers import check_user

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfix.config.snapshot import Snapshot
    from pyfix.queue.writer import QueueFileWriter

_USAGE = "usage: postdrop [-c config_dir] [-v]"
_PROTOCOL = "postdrop_protocol"
_ENVELOPE = frozenset(b"MCFSRVAin")
_CONTENT = frozenset(b"XLN")
_EXTRACTED = frozenset(b"EAR")
_ATTRIBUTES = frozenset(
    (b"encoding", b"rewrite_context", b"trace_flags", b"notify_flags", b"envelope_id", b"ret_flags", b"dsn_orig_rcpt")
)
_READY_MODE = 0o744
_BLOCK = 65536
_STATUS_WRITE = 2
_STATUS_SIZE = 4
_STATUS_PERMISSION = 512
_ANY_SENDER = "static:*"
"""The default of local_login_sender_maps."""


class _Refused(Exception):
    """The user may not send as this sender, or that could not be found out."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason


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
    check_user(snapshot, "authorized_submit_users", "submit mail", 1)
    enter_queue(snapshot)
    return _receive(snapshot)


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
        complete = _copy(writer, int(snapshot.value("line_length_limit")), snapshot)
        if not complete:
            writer.remove()
            return 0
        writer.complete()
        os.fchmod(writer.fd, _READY_MODE)
        os.fsync(writer.fd)
        writer.close()
    except SizeLimitExceeded:
        return _fail(writer, _STATUS_SIZE, os.strerror(errno.EFBIG))
    except _Refused as refused:
        writer.remove()
        _reply(refused.status, refused.reason)
        return 0 if refused.status == _STATUS_PERMISSION else refused.status
    except ConfigError:
        writer.remove()
        raise
    except RecordError as error:
        writer.remove()
        raise CommandError(f"uid={os.getuid()}: {error}") from error
    except OSError as error:
        return _fail(writer, _STATUS_WRITE, error.strerror or "")
    _wake_pickup(snapshot)
    _reply(0)
    return 0


def _fail(writer: QueueFileWriter, status: int, reason: str) -> int:
    """Give up a file that can't be written; the reason is told of here, sendmail(1) says which kind it is of."""
    writer.remove()
    log.warning(f"uid={os.getuid()}: {reason}")
    _reply(status)
    return status


def _check_sender(snapshot: Snapshot, sender: str) -> None:
    """Raises _Refused when the user's local_login_sender_maps do not have the sender, ConfigError."""
    value = snapshot.value("local_login_sender_maps")
    if value == _ANY_SENDER:
        return
    import pwd

    from pyfix.tables.loginsenders import LoginSenders
    from pyfix.tables.maps import Maps
    from pyfix.tables.table import TableError

    try:
        login = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        login = f"uid:{os.getuid()}"
    senders = LoginSenders(
        Maps("local_login_sender_maps", value, snapshot.with_overrides([("daemon_table_open_error_is_fatal", "yes")])),
        delimiters=snapshot.value("recipient_delimiter"),
        null_sender=snapshot.value("empty_address_local_login_sender_maps_lookup_key"),
    )
    try:
        allowed = senders.allows(login, sender)
    except TableError:
        raise _Refused(_STATUS_WRITE, f"local_login_sender_maps table lookup error for '{value}'") from None
    if not allowed:
        raise _Refused(_STATUS_PERMISSION, f"not authorized to use sender='{sender}'")


def _copy(writer: QueueFileWriter, limit: int, snapshot: Snapshot) -> bool:
    """Copy checked records to the file; False when the sender went away before the end record.

    *limit* is line_length_limit, in bytes.  Raises RecordError for records that do not belong in a submission, OSError,
    SizeLimitExceeded, _Refused, ConfigError.
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
            if after - begin > limit:
                log.warning(f"stdin: illegal length {after - begin}, record type {kind}")
                raise RecordError("malformed input")
            if allowed is not _CONTENT and (b"\0" in buffer[begin:after] or b"\n" in buffer[begin:after]):
                shown = buffer[begin:after].decode("utf-8", "surrogateescape")
                raise RecordError(f"null or line break in '{RECORD_NAMES.get(kind)}' record type: {shown}")
            record = buffer[position:after]
            position = after
            if kind == records.MESSAGE:
                allowed = _CONTENT
            elif kind == records.EXTRACTED:
                allowed = _EXTRACTED
            elif kind == records.SENDER:
                _check_sender(snapshot, buffer[begin:after].decode("utf-8", "surrogateescape"))
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

    path = "public/" + snapshot.value("pickup_service_name")
    try:
        os.stat(path)
    except OSError as error:
        log.warning(f"unable to look up {path}: {error.strerror}")
        return
    try:
        trigger(path, b"W", 1)
    except OSError:
        # The mail system is down, or busy; pickup(8) looks by itself later.
        return
