"""Enhanced status codes, exit statuses of commands, and what cleanup's status means for a client."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = [
    "CLEANUP_DETAILS",
    "EXIT_STATUSES",
    "CleanupDetail",
    "ExitStatus",
    "cleanup_detail",
    "exit_status_detail",
    "split_status",
    "status_prefix",
    "update_class",
]

_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![^ \t\n\r\v\f])")


def status_prefix(text: str) -> str:
    """Return the enhanced status code that *text* begins with, or "" when there is none.

    A code ends at a blank or the end of the text.  Source: RFC 3463 section 2.
    """
    match = _STATUS.match(text)
    return match[0] if match else ""


def split_status(text: str, default: str) -> tuple[str, str]:
    """Split "5.1.1 text" into ("5.1.1", "text"); without a code return (*default*, *text* unchanged but for blanks)."""
    text = text.lstrip(" \t\n\r\v\f")
    code = status_prefix(text)
    if not code:
        return default, text
    return code, text[len(code) :].lstrip(" \t\n\r\v\f")


def update_class(code: str, class_digit: str) -> str:
    """Return *code* with its first digit replaced, as soft_bounce and a 4xx reply ask for."""
    return class_digit + code[1:]


class ExitStatus(NamedTuple):
    """What an exit status of <sysexits.h> means."""

    code: str
    text: str


EXIT_STATUSES: Final[dict[int, ExitStatus]] = {
    64: ExitStatus("5.3.0", "command line usage error"),
    65: ExitStatus("5.6.0", "data format error"),
    66: ExitStatus("5.3.0", "cannot open input"),
    67: ExitStatus("5.1.1", "user unknown"),
    68: ExitStatus("5.1.2", "host name unknown"),
    69: ExitStatus("5.3.0", "service unavailable"),
    70: ExitStatus("5.3.0", "internal software error"),
    71: ExitStatus("4.3.0", "system resource problem"),
    72: ExitStatus("5.3.0", "critical OS file missing"),
    73: ExitStatus("5.2.0", "can't create user output file"),
    74: ExitStatus("5.3.0", "input/output error"),
    75: ExitStatus("4.3.0", "temporary failure"),
    76: ExitStatus("5.5.0", "remote error in protocol"),
    77: ExitStatus("5.7.0", "permission denied"),
    78: ExitStatus("5.3.5", "local configuration error"),
}
"""Exit statuses of delivery commands.  Source: sysexits(3); pipe(8), local(8)."""


def exit_status_detail(status: int) -> ExitStatus | None:
    """Return code and text of an exit status of <sysexits.h>, or None for another one."""
    return EXIT_STATUSES.get(status)


class CleanupDetail(NamedTuple):
    """The SMTP reply for one bit of cleanup's status."""

    bit: int
    smtp: int
    code: str
    text: str


BAD: Final = 1
WRITE: Final = 2
SIZE: Final = 4
CONTENT: Final = 8
HOPS: Final = 16
NO_RECIPIENT: Final = 64
PROXY: Final = 128
DEFER: Final = 256
NO_PERMISSION: Final = 512
BARE_LF: Final = 65536
"""Only inside smtpd(8): the message had a bare newline."""

CLEANUP_DETAILS: Final[tuple[CleanupDetail, ...]] = (
    CleanupDetail(DEFER, 451, "4.7.1", "service unavailable"),
    CleanupDetail(PROXY, 451, "4.3.0", "queue file write error"),
    CleanupDetail(BAD, 451, "4.3.0", "internal protocol error"),
    CleanupDetail(NO_RECIPIENT, 550, "5.1.0", "no recipients specified"),
    CleanupDetail(HOPS, 554, "5.4.0", "too many hops"),
    CleanupDetail(SIZE, 552, "5.3.4", "message file too big"),
    CleanupDetail(CONTENT, 550, "5.7.1", "message content rejected"),
    CleanupDetail(WRITE, 451, "4.3.0", "queue file write error"),
    CleanupDetail(NO_PERMISSION, 550, "5.7.1", "service denied"),
    CleanupDetail(BARE_LF, 521, "5.5.2", "bare <LF> received"),
)
"""The bits of cleanup's status, the most serious first."""


def cleanup_detail(status: int) -> CleanupDetail:
    """Return the detail of the most serious bit of *status*, which must not be 0.

    smtpd(8) answers ``<smtp> <code> Error: <text>``.  A status of unknown bits reads as an internal protocol error.
    """
    for detail in CLEANUP_DETAILS:
        if status & detail.bit:
            return detail
    return CLEANUP_DETAILS[2]
