"""Header lines of a message and the headers that the mail system treats in a way of their own."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["HEADERS", "KnownHeader", "announces_8bit", "find_header", "header_name_end", "split_header"]

_HEADER = re.compile(rb"([\x21-\x39\x3b-\x7e]+)[ \t]*:")


class KnownHeader(NamedTuple):
    """What the mail system does with a header; at most one of sender and recipient is true."""

    name: str
    """The name as Postfix writes it; in messages any case is the same header."""
    sender: bool = False
    """Addresses in it are rewritten as senders (canonical_classes header_sender)."""
    recipient: bool = False
    """Addresses in it are rewritten as recipients (header_recipient)."""
    extract: bool = False
    """``sendmail -t`` takes recipients from it."""
    drop: bool = False
    """cleanup(8) removes it: message_drop_headers by default has the same names."""
    resent: bool = False
    mime: bool = False
    """mime_header_checks look at it, header_checks do not."""


def _sender(name: str) -> KnownHeader:
    return KnownHeader(name, sender=True, resent=name.startswith("Resent-"))


def _recipient(name: str, *, extract: bool = False, drop: bool = False) -> KnownHeader:
    return KnownHeader(name, recipient=True, extract=extract, drop=drop, resent=name.startswith("Resent-"))


_ALL: Final[tuple[KnownHeader, ...]] = (
    _recipient("Apparently-To"),
    _recipient("Bcc", extract=True, drop=True),
    _recipient("Cc", extract=True),
    KnownHeader("Content-Description", mime=True),
    KnownHeader("Content-Disposition", mime=True),
    KnownHeader("Content-ID", mime=True),
    KnownHeader("Content-Length", drop=True),
    KnownHeader("Content-Transfer-Encoding", mime=True),
    KnownHeader("Content-Type", mime=True),
    KnownHeader("Date"),
    KnownHeader("Delivered-To"),
    _sender("Disposition-Notification-To"),
    _sender("Errors-To"),
    _sender("From"),
    _sender("Mail-Followup-To"),
    KnownHeader("MIME-Version", mime=True),
    KnownHeader("Message-Id"),
    KnownHeader("Received"),
    _sender("Reply-To"),
    _recipient("Resent-Bcc", extract=True, drop=True),
    _recipient("Resent-Cc", extract=True),
    KnownHeader("Resent-Date", resent=True),
    _sender("Resent-From"),
    KnownHeader("Resent-Message-Id", resent=True),
    _recipient("Resent-Reply-To"),
    _sender("Resent-Sender"),
    _recipient("Resent-To", extract=True),
    KnownHeader("Return-Path", drop=True, sender=True),
    _sender("Return-Receipt-To"),
    _sender("Sender"),
    KnownHeader("Require-TLS-ESMTP"),
    KnownHeader("Subject"),
    KnownHeader("TLS-Required"),
    _recipient("To", extract=True),
)

HEADERS: Final[dict[bytes, KnownHeader]] = {header.name.lower().encode(): header for header in _ALL}
"""The known headers by their names in lower case."""


def find_header(name: bytes) -> KnownHeader | None:
    """Return what is known about the header *name* (any case), or None."""
    return HEADERS.get(name.lower())


def header_name_end(line: bytes) -> int:
    """Return the length of the header name that *line* begins with, or 0 when it is no header line.

    A name is printable ASCII without blanks; blanks may stand between it and the colon.  Source: RFC 822 section 3.2.
    """
    match = _HEADER.match(line)
    return match.end(1) if match else 0


def split_header(text: bytes) -> tuple[bytes, bytes]:
    """Split a header at its colon: (name, all that follows the colon).  *text* must be a header."""
    name, _, body = text.partition(b":")
    return name.rstrip(b" \t"), body


def announces_8bit(body: bytes) -> bool:
    """Say whether the body of a Content-Transfer-Encoding: header makes cleanup(8) write ``encoding=8bit``.

    Only the bare word does, with no blank or comment after it.
    """
    return body.lstrip(b" \t\r\n").lower() in (b"8bit", b"binary")
