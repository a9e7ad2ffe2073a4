"""The logs of bounce(8), defer and trace: what happened to each recipient of a message.

One file a message, ``<service>/<hashed folders>/<queue id>``: entries of ``name=value`` lines,
an empty line before and after each.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.formats.number import whole_number
from pyfix.formats.queuefile import NOTIFY_DELAY, NOTIFY_FAILURE, NOTIFY_NEVER, NOTIFY_SUCCESS
from pyfix.formats.textforms import printable
from pyfix.queue.spool import Spool

_FILE_MODE: Final = 0o600
_NAMES: Final = frozenset(
    (
        "recipient", "original_recipient", "offset", "dsn_orig_rcpt", "notify_flags", "status", "action", "diag_type",
        "diag_text", "mta_type", "mta_mname", "reason",
    )
)  # fmt: skip
_EVENTS: Final = NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY
_NUMBER: Final = re.compile(r"\+?([0-9]+)")
_SHOWN: Final = 30
"""How many bytes of a line that is nothing are shown."""
_UNKNOWN_ADDRESS: Final = "(recipient address unavailable)"
_NO_ADDRESS: Final = "(MAILER-DAEMON)"
_NO_REASON: Final = "(description unavailable)"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One recipient's outcome.  Addresses are as a log has them, in external form, and ``<>`` for an empty one."""

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


class LogNotOpened(OSError):
    """A log that is there can't be opened, or a new one can't be made."""


def append_entry(spool: Spool, service: str, queue_id: str, entry: bytes) -> None:
    """Add an encoded entry to a log, on the disk when this returns.

    A log that cannot be written in full is cut back to what it was.  Raises LogNotOpened, and OSError.
    """
    try:
        fd = _open_to_append(spool, spool.path(service, queue_id))
    except OSError as error:
        raise LogNotOpened(error.errno, error.strerror) from error
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


def _open_to_append(spool: Spool, path: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
    new = flags | os.O_CREAT | os.O_NOFOLLOW
    try:
        return os.open(path, new, _FILE_MODE)
    except FileNotFoundError:
        spool.make_folders(path)
        return os.open(path, new, _FILE_MODE)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    return os.open(path, flags)  # a symbolic link, to a file that exists


@dataclass(frozen=True, slots=True)
class StatusLog:
    """What a log was found to have."""

    items: tuple[LogEntry | str, ...] = ()
    """The entries, and between them a warning of each line that is not understood, in the order of the file."""
    exists: bool = True

    @property
    def entries(self) -> list[LogEntry]:
        """The entries."""
        return [item for item in self.items if isinstance(item, LogEntry)]

    @property
    def faults(self) -> list[str]:
        """The warnings."""
        return [item for item in self.items if isinstance(item, str)]


def read_log(data: bytes) -> Iterator[LogEntry | str]:
    """Yield the entries of a log, and before an entry what is wrong with lines of it: ``unknown attribute name: x``.

    An entry counts when the empty line behind it is there: what a crash has cut off is nothing yet.
    """
    text = data.decode("utf-8", "surrogateescape")
    if not text.replace("\n", "").isprintable():
        text = "\n".join([printable(line.partition("\0")[0]) for line in text.split("\n")])
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    values: dict[str, str] = {}
    begun = False
    for line in lines:
        if not line:
            if begun:
                yield _entry(values)
                values, begun = {}, False
            continue
        begun = True
        name, _, value = line.partition("=")
        if name in _NAMES and value and value[0] != " " != value[-1]:
            values[name] = value
        elif (fault := _read_odd_line(line, values)) is not None:
            yield fault


def _read_odd_line(line: str, values: dict[str, str]) -> str | None:
    """Put into *values* what a line says that is not simply ``name=value``; return what is wrong with it."""
    if line[0] == "<" and ">: " in line:
        recipient, _, reason = line[1:].partition(">: ")
        values["recipient"] = recipient or _NO_ADDRESS
        values["reason"] = reason.lstrip(" ")
        return None
    if not (line[0].isascii() and line[0].isalnum()):
        start = line.encode("utf-8", "surrogateescape")[:_SHOWN].decode("utf-8", "surrogateescape")
        return f"malformed record: {start}..."
    name, equals, value = line.partition("=")
    name = name.rstrip(" ")
    if not equals or " " in name:
        return "malformed record: missing '=' after attribute name"
    if name not in _NAMES:
        return f"unknown attribute name: {name}, ignored"
    value = value.strip(" ")
    if value or name not in ("recipient", "original_recipient"):
        values[name] = value
    else:
        values[name] = _NO_ADDRESS
    return None


def _entry(values: dict[str, str]) -> LogEntry:
    notify = _leading_number(values.get("notify_flags", ""))
    return LogEntry(
        recipient=values.get("recipient", _UNKNOWN_ADDRESS),
        original_recipient=values.get("original_recipient", ""),
        offset=whole_number(values.get("offset", "")),
        dsn_original_recipient=values.get("dsn_orig_rcpt", ""),
        notify=notify if notify == NOTIFY_NEVER or not notify & ~_EVENTS else 0,
        status=values.get("status", ""),
        action=values.get("action", ""),
        diagnostic_type=values.get("diag_type", ""),
        diagnostic_text=values.get("diag_text", ""),
        mta_type=values.get("mta_type", ""),
        mta_name=values.get("mta_mname", ""),
        reason=values.get("reason") or _NO_REASON,
    )


def _leading_number(text: str) -> int:
    """Return the number that *text* begins with, 0 for none and for what is less or too large."""
    match = _NUMBER.match(text)
    return whole_number(match[1]) if match is not None else 0


def read_entries(data: bytes) -> Iterator[LogEntry]:
    """Yield the entries of a log; what cannot be understood in it is passed over."""
    return (item for item in read_log(data) if isinstance(item, LogEntry))


def load_log(spool: Spool, service: str, queue_id: str) -> StatusLog:
    """Return what a message's log has.  Raises LogNotOpened, and OSError."""
    path = spool.path(service, queue_id)
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            found = read_log(file.read())
    except FileNotFoundError:
        return StatusLog(exists=False)
    except OSError as error:
        raise LogNotOpened(error.errno, error.strerror) from error
    return StatusLog(tuple([f"{path}: {item}" if isinstance(item, str) else item for item in found]))


def load_entries(spool: Spool, service: str, queue_id: str) -> list[LogEntry]:
    """Return the entries of a message's log, none if it has no log.  Raises OSError."""
    return load_log(spool, service, queue_id).entries


def remove_log(spool: Spool, service: str, queue_id: str) -> None:
    """Delete a log if there is one.  Raises OSError."""
    try:
        os.unlink(spool.path(service, queue_id))
    except FileNotFoundError:
        pass
