"""The logs of bounce(8), defer and trace: what happened to each recipient of a message.

One file a message, ``<service>/<hashed folders>/<queue id>``: entries of ``name=value`` lines,
an empty line before and after each.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.formats.number import whole_number
from pyfix.formats.textforms import printable
from pyfix.queue.spool import Spool

_FILE_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One recipient's outcome.  Addresses are in internal form."""

    recipient: str
    original_recipient: str = ""
    offset: int = 0
    """Where the recipient's record is in the queue file, in bytes; 0 if unknown."""
    dsn_original_recipient: str = ""
    notify: int = 0
    status: str = ""
    action: str = ""
    diagnostic_type: str = ""
    diagnostic_text: str = ""
    mta_type: str = ""
    mta_name: str = ""
    reason: str = ""


def _line(name: str, value: str) -> str:
    return f"{name}={printable(value)}\n"


def encode_entry(entry: LogEntry, quoted_recipient: str, quoted_original: str, *, with_old_line: bool) -> bytes:
    """Return an entry as it stands in the file.

    The quoted forms are the external forms of both recipients.  *with_old_line* is postconf(5)
    backwards_bounce_logfile_compatibility: a first line that programs older than Postfix 2.0 read.
    """
    recipient = quoted_recipient or "<>"
    reason = printable(entry.reason)
    lines = ["\n"]
    if with_old_line:
        lines.append(f"<{quoted_recipient}>: {reason}\n")
    lines.append(_line("recipient", recipient))
    if entry.original_recipient and entry.original_recipient.casefold() != entry.recipient.casefold():
        lines.append(_line("original_recipient", quoted_original))
    if entry.offset > 0:
        lines.append(f"offset={entry.offset}\n")
    if entry.dsn_original_recipient:
        lines.append(_line("dsn_orig_rcpt", entry.dsn_original_recipient))
    if entry.notify:
        lines.append(f"notify_flags={entry.notify}\n")
    if entry.status:
        lines.append(_line("status", entry.status))
    if entry.action:
        lines.append(_line("action", entry.action))
    if entry.diagnostic_type and entry.diagnostic_text:
        lines.append(_line("diag_type", entry.diagnostic_type))
        lines.append(_line("diag_text", entry.diagnostic_text))
    if entry.mta_type and entry.mta_name:
        lines.append(_line("mta_type", entry.mta_type))
        lines.append(_line("mta_mname", entry.mta_name))
    if reason:
        lines.append(f"reason={reason}\n")
    lines.append("\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def append_entry(spool: Spool, service: str, queue_id: str, entry: bytes) -> None:
    """Add an encoded entry to a log, on the disk when this returns.

    A log that cannot be written in full is cut back to what it was.  Raises OSError.
    """
    path = spool.path(service, queue_id)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, _FILE_MODE)
    except FileNotFoundError:
        spool.make_folders(path)
        fd = os.open(path, flags, _FILE_MODE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        try:
            view = memoryview(entry)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        except OSError:
            os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)


def read_entries(data: bytes) -> Iterator[LogEntry]:
    """Yield the entries of a log; what cannot be understood in it is passed over."""
    for block in data.decode("utf-8", "surrogateescape").split("\n\n"):
        entry = _entry(block)
        if entry is not None:
            yield entry


def _entry(block: str) -> LogEntry | None:
    values: dict[str, str] = {}
    old_recipient = old_reason = ""
    for line in block.split("\n"):
        if line.startswith("<") and ">: " in line:
            old_recipient, _, old_reason = line[1:].partition(">: ")
            continue
        name, equals, value = line.partition("=")
        if equals:
            values[name] = value
    recipient = values.get("recipient", old_recipient)
    if not recipient:
        return None
    return LogEntry(
        recipient="" if recipient == "<>" else recipient,
        original_recipient=values.get("original_recipient", ""),
        offset=whole_number(values.get("offset", "")),
        dsn_original_recipient=values.get("dsn_orig_rcpt", ""),
        notify=whole_number(values.get("notify_flags", "")),
        status=values.get("status", ""),
        action=values.get("action", ""),
        diagnostic_type=values.get("diag_type", ""),
        diagnostic_text=values.get("diag_text", ""),
        mta_type=values.get("mta_type", ""),
        mta_name=values.get("mta_mname", ""),
        reason=values.get("reason", old_reason),
    )


def load_entries(spool: Spool, service: str, queue_id: str) -> list[LogEntry]:
    """Return the entries of a message's log, none if it has no log.  Raises OSError."""
    try:
        with open(spool.path(service, queue_id), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return list(read_entries(file.read()))
    except FileNotFoundError:
        return []


def remove_log(spool: Spool, service: str, queue_id: str) -> None:
    """Delete a log if there is one.  Raises OSError."""
    try:
        os.unlink(spool.path(service, queue_id))
    except FileNotFoundError:
        pass
