"""A notice as a multipart/report message: text, machine-readable status, and the message concerned.

Source: RFC 3461, RFC 3464, RFC 6522; bounce(8).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pyfix.formats.maildate import mail_date
from pyfix.notices.template import US_ASCII, NoticeTemplate
from pyfix.queue.bouncelog import LogEntry

__all__ = ["Original", "Report", "returned_header", "returned_message"]

_WIDTH: Final = 79
_HEADER_LINE: Final = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")

_USUAL: Final = {
    "failure": ("failed", "5.0.0"),
    "delay": ("delayed", "4.0.0"),
    "success": ("failed", "5.0.0"),
    "verify": ("failed", "5.0.0"),
}
"""Action and status of an entry that has none, by the notice's template; a failure is one whatever its entry says."""

Encoding = Literal["", "7bit", "8bit"]


@dataclass(frozen=True, slots=True)
class Original:
    """The message that a notice is about."""

    queue_id: str
    sender: str | None
    """Internal form; None when the message can't be read."""
    envelope_id: str
    arrival: int
    """Seconds since the epoch."""
    utf8: bool
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What one notice says."""

    template: NoticeTemplate
    hostname: str
    mail_name: str
    original: Original
    entries: Sequence[LogEntry]
    now: int
    """Seconds since the epoch, part of the boundary."""
    encoding: Encoding = "8bit"
    """What the message needs, empty if unknown; what SMTPUTF8 is enabled for may need 8bit."""
    retry_until: int = 0
    """When delivery is given up, for a notice of delay."""

    @property
    def boundary(self) -> str:
        """What separates the parts."""
        return f"{self.original.queue_id}.{self.now}/{self.hostname}"

    def head(
        self, recipient: str, *, postmaster: bool, references: str = "", tls_optional: bool = False
    ) -> Iterator[str]:
        """Yield the header lines after Received: and Date:, and the empty line.

        *recipient* is in external form; *references* is a message id to thread the notice under.
        *tls_optional*: as for the message, TLS policies need not be obeyed.  Source: RFC 8689 section 5.
        """
        template = self.template
        yield f"From: {template.sender}"
        yield f"Subject: {template.postmaster_subject if postmaster else template.subject}"
        yield f"To: {recipient}"
        if tls_optional:
            yield "TLS-Required: no"
        if references:
            yield f"References: {references}"
            yield f"In-Reply-To: {references}"
        yield f"Auto-Submitted: {'auto-generated' if postmaster else 'auto-replied'}"
        yield "MIME-Version: 1.0"
        yield "Content-Type: multipart/report; report-type=delivery-status;"
        yield f'\tboundary="{self.boundary}"'
        if self.encoding:
            yield f"Content-Transfer-Encoding: {self.encoding if ''.join(self.template.text).isascii() else '8bit'}"
        yield ""
        yield "This is a MIME-encapsulated message."

    def explanation(self, text: Sequence[str]) -> Iterator[str]:
        """Yield the lines of the first part: what happened, in words; *text* is the template's, expanded."""
        yield ""
        yield f"--{self.boundary}"
        yield "Content-Description: Notification"
        charset = self.template.charset
        if self.encoding == "8bit" and charset.lower() == US_ASCII:
            charset = "utf-8"
        yield f"Content-Type: text/plain; charset={charset}"
        if self.encoding == "8bit":
            yield "Content-Transfer-Encoding: 8bit"
        yield ""
        yield from text
        yield ""

    def recipients_in_words(self, quoted: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Yield a paragraph for each entry; *quoted* has the external forms of recipient and original recipient."""
        if not quoted:
            yield "\t--- Delivery report unavailable ---"
            yield ""
        for entry, (recipient, original) in zip(self.entries, quoted, strict=True):
            expanded = f" (expanded from <{original}>)" if original else ""
            yield from _folded(f"<{recipient}>{expanded}: {entry.reason}")
            yield ""

    def status(self, quoted: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Yield the lines of the second part: what happened, for programs."""
        original = self.original
        yield f"--{self.boundary}"
        yield "Content-Description: Delivery report"
        yield f"Content-Type: message/{'global-delivery-status' if original.utf8 else 'delivery-status'}"
        if original.utf8:
            yield "Content-Transfer-Encoding: 8bit"
        yield ""
        yield f"Reporting-MTA: dns; {self.hostname}"
        if original.envelope_id:
            yield f"Original-Envelope-Id: {original.envelope_id}"
        yield f"X-{self.mail_name}-Queue-ID: {original.queue_id}"
        if original.sender is not None:
            address_type = "utf-8" if original.utf8 and not original.sender.isascii() else "rfc822"
            yield f"X-{self.mail_name}-Sender: {address_type}; {original.sender}"
            yield f"Arrival-Date: {mail_date(original.arrival)}"
        for entry, (recipient, original_recipient) in zip(self.entries, quoted, strict=True):
            yield ""
            yield from self._status_of(entry, recipient, original_recipient)

    def _status_of(self, entry: LogEntry, recipient: str, original_recipient: str) -> Iterator[str]:
        address_type = "utf-8" if self.original.utf8 and not recipient.isascii() else "rfc822"
        yield f"Final-Recipient: {address_type}; {recipient}"
        if entry.dsn_original_recipient:
            yield f"Original-Recipient: {entry.dsn_original_recipient}"
        elif original_recipient:
            yield f"Original-Recipient: rfc822; {original_recipient}"
        action, status = _USUAL[self.template.name]
        yield f"Action: {action if self.template.name == 'failure' else entry.action or action}"
        yield f"Status: {entry.status or status}"
        if entry.mta_type and entry.mta_name:
            yield f"Remote-MTA: {entry.mta_type}; {entry.mta_name}"
        if entry.diagnostic_type and entry.diagnostic_text:
            yield from _folded(f"Diagnostic-Code: {entry.diagnostic_type}; {entry.diagnostic_text}")
        else:
            yield from _folded(f"Diagnostic-Code: X-{self.mail_name}; {entry.reason}")
        if self.retry_until:
            yield f"Will-Retry-Until: {mail_date(self.retry_until)}"

    def returned_head(self, *, headers_only: bool, description: str) -> Iterator[str]:
        """Yield the lines that introduce the third part."""
        yield ""
        yield f"--{self.boundary}"
        yield f"Content-Description: {description}{' Headers' if headers_only else ''}"
        if headers_only:
            kind = "message/global-headers" if self.original.utf8 else "text/rfc822-headers"
        else:
            kind = "message/global" if self.original.utf8 else "message/rfc822"
        yield f"Content-Type: {kind}"
        if self.encoding == "8bit":
            yield "Content-Transfer-Encoding: 8bit"
        yield ""

    def nothing_returned(self) -> Iterator[str]:
        """Yield the third part of a notice about a message that can't be read; nothing follows, not even a boundary."""
        yield "\t--- Undelivered message unavailable ---"

    def tail(self, *, complete: bool = True) -> Iterator[str]:
        """Yield the lines that end the message; the first of them ends a returned line that is not *complete*."""
        if complete:
            yield ""
        yield f"--{self.boundary}--"


def _folded(text: str) -> Iterator[str]:
    """Yield *text* in lines of less than 80 characters where it has blanks to break at; later lines are indented."""
    indent = ""
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > _WIDTH - 4 + (0 if indent else 4):
            yield indent + line
            indent, line = "    ", word
        else:
            line = f"{line} {word}" if line else word
    yield indent + line.rstrip(" ")


def returned_message(content: Iterable[bytes], *, return_path: str) -> Iterator[bytes]:
    """Yield the lines of the message that is returned: *content*; *return_path* is the sender, in external form."""
    yield _return_path(return_path)
    yield from content


def returned_header(pieces: Iterable[tuple[bytes, bool]], *, return_path: str) -> Generator[bytes, None, bool]:
    """Yield the lines of the header that is returned; return whether the last of them was complete.

    *pieces* are lines or parts of lines, each with whether it ends a line.  What comes first that looks like no header
    and no continuation of one ends the header, be it the rest of a line too long for one record.
    """
    yield _return_path(return_path)
    line = b""
    for piece, ends in pieces:
        if not _HEADER_LINE.match(piece):
            break
        line += piece
        if ends:
            yield line
            line = b""
    if line:
        yield line
    return not line


def _return_path(sender: str) -> bytes:
    return f"Return-Path: <{sender}>".encode("utf-8", "surrogateescape")
