"""One message from a local program, given to postdrop(1) as records.

Source: sendmail(1); postconf(5) sendmail_fix_line_endings, line_length_limit.
"""

from __future__ import annotations

import os
import pwd
import sys
from typing import NamedTuple

from pyfix.commands.sendmail.headers import Header
from pyfix.commands.sendmail.postdrop import Postdrop
from pyfix.formats import records
from pyfix.formats.queuefile import REQUIRETLS_ESMTP, SMTPUTF8_REQUESTED
from pyfix.formats.records import encode_attribute, encode_lines, encode_record
from pyfix.runtime.console import EX_TEMPFAIL, CommandError
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from pyfix.config.snapshot import Snapshot

_USER_VERIFY = 512
_RECORD = 1024
_SIZE_FORMAT = b"%15d %15d %15d %15d %15d %15d"
_BLOCK = 65536
_FIXES = ("always", "strict", "never")


class Submission(NamedTuple):
    """What the command line says of the message."""

    sender: str | None
    full_name: str | None
    recipients: Sequence[str]
    from_headers: bool
    """Take recipients from To:, Cc: and Bcc: (-t)."""
    encoding: str
    notify: int
    ret: int
    envelope_id: str
    verp: str | None
    dots: bool
    """A line with a single dot ends the message."""
    context: str
    """local or remote: how incomplete addresses in headers are completed."""
    verify: bool
    """Find out whether it could be delivered, deliver nothing (-bv)."""
    report: bool
    """Mail a delivery report (-v)."""
    smtputf8: bool
    requiretls: bool


def submit(snapshot: Snapshot, submission: Submission) -> int:
    """Send the message on standard input; return 0 when it is safe in the queue.

    Raises CommandError.
    """
    sender = _sender(submission.sender)
    who = f"{sender}({os.getuid()})"
    if submission.verp is not None and not sender:
        raise CommandError(f"{who}: -V option requires non-null sender address", EX_TEMPFAIL)
    recipients = [address for word in submission.recipients for address in _addresses(word) or [""]]
    if not recipients and not submission.from_headers:
        raise CommandError(
            f"{who}: Recipient addresses must be specified on the command line or via the -t option",
            EX_TEMPFAIL,
        )
    limit = int(snapshot.value("line_length_limit"))
    fix = snapshot.value("sendmail_fix_line_endings")
    if fix not in _FIXES:
        raise CommandError(f"invalid sendmail_fix_line_endings value: {fix}", EX_TEMPFAIL)
    postdrop = Postdrop(snapshot, who)
    postdrop.write(_envelope(submission, sender, _full_name(submission), recipients))
    postdrop.write(encode_record(records.MESSAGE))
    header = Header()
    if submission.verify:
        shown = [f"From: {_quoted(sender)}".encode()] if sender else []
        postdrop.write(encode_lines([*shown, b"Subject: probe"]))
        postdrop.write(_to_header([_quoted(one) for one in recipients]))
    else:
        lines = _content(_lines(sys.stdin.buffer, dots=submission.dots, fix=fix), limit)
        if submission.from_headers:
            lines = _behind_header(lines, header, postdrop, limit)
        _copy(lines, postdrop, limit)
    postdrop.write(encode_record(records.EXTRACTED))
    if submission.from_headers:
        found = [address for text in header.recipients() for address in _addresses(text)]
        if not found and not recipients:
            postdrop.cancel()
            raise CommandError(f"{who}: No recipient addresses found in message header", EX_TEMPFAIL)
        postdrop.write(_recipient_records(submission.notify, found))
    postdrop.write(encode_record(records.END))
    postdrop.finish()
    if submission.report:
        print(f"Mail Delivery Status Report will be mailed to <{sender}>.")
    return 0


def _user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError:
        return None


def _addresses(text: str) -> list[str]:
    """Return the addresses in a list, in internal form."""
    from pyfix.formats.address_list import AddressList

    return [_internal(address) for address in AddressList(text).addresses]


def _internal(address: str) -> str:
    if '"' not in address and "\\" not in address:
        return address
    from pyfix.formats.address import external_to_internal

    localpart, at, domain = address.rpartition("@")
    return external_to_internal(localpart) + at + external_to_internal(domain)


def _quoted(address: str) -> str:
    from pyfix.formats.address import internal_to_external

    return internal_to_external(address)


def _sender(given: str | None) -> str:
    """Return the sender, by default the user.  Raises CommandError."""
    if given is None:
        user = _user()
        if user is None:
            raise CommandError(f"no login name found for user ID {os.getuid()}", EX_TEMPFAIL)
        return user.pw_name
    if given in ("", "<>"):
        return ""
    addresses = _addresses(given)
    if len(addresses) > 1:
        log.warning(f"-f option specified malformed sender: {given}")
    return addresses[0] if addresses else ""


def _full_name(submission: Submission) -> str | None:
    if submission.full_name is not None:
        return submission.full_name
    name = os.environ.get("NAME")
    if name is not None:
        return name
    user = _user()
    return None if user is None else user.pw_gecos.partition(",")[0].replace("&", user.pw_name.capitalize())


def _envelope(submission: Submission, sender: str, full_name: str | None, recipients: Sequence[str]) -> bytes:
    parts: list[bytes] = []
    if submission.smtputf8 or submission.requiretls:
        options = (SMTPUTF8_REQUESTED if submission.smtputf8 else 0) | (
            REQUIRETLS_ESMTP if submission.requiretls else 0
        )
        parts.append(encode_record(records.SIZE, _SIZE_FORMAT % (-1, -1, -1, -1, -1, options)))
    if submission.envelope_id:
        parts.append(encode_attribute("envelope_id", submission.envelope_id))
    if submission.ret:
        parts.append(encode_attribute("ret_flags", str(submission.ret)))
    parts.append(encode_attribute("rewrite_context", submission.context))
    if full_name is not None:
        parts.append(encode_record(records.FULL_NAME, _bytes(full_name)))
    parts.append(encode_record(records.SENDER, _bytes(sender)))
    if submission.encoding:
        parts.append(encode_attribute("encoding", submission.encoding))
    flags = _USER_VERIFY if submission.verify else _RECORD if submission.report else 0
    if flags:
        parts.append(encode_attribute("trace_flags", str(flags)))
    if submission.verp is not None:
        parts.append(encode_record(records.VERP, _bytes(submission.verp)))
    parts.append(_recipient_records(submission.notify, recipients))
    return b"".join(parts)


def _recipient_records(notify: int, recipients: Iterable[str]) -> bytes:
    prefix = encode_attribute("notify_flags", str(notify)) if notify else b""
    return b"".join([prefix + encode_record(records.RECIPIENT, _bytes(one)) for one in recipients])


def _to_header(recipients: Sequence[str]) -> bytes:
    lines = [_bytes(f"\t{one}{',' if index + 1 < len(recipients) else ''}") for index, one in enumerate(recipients)]
    return encode_record(records.UNTERMINATED, b"To:") + encode_lines(lines)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _lines(stream: BinaryIO, *, dots: bool, fix: str) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of the message and whether each had a newline.

    *fix* is sendmail_fix_line_endings: carriage returns before newlines go always, if the first
    line has one (strict), or never.
    """
    strip = fix == "always"
    first = True
    for line in stream:
        whole = line.endswith(b"\n")
        text = line[:-1] if whole else line
        if first and fix == "strict":
            strip = text.endswith(b"\r")
        first = False
        if strip and whole:
            text = text.rstrip(b"\r")
        if dots and text == b".":
            return
        yield text, whole


def _content(lines: Iterator[tuple[bytes, bool]], limit: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines without those of a mailbox at the start, as far as they are whole and fit into a record."""
    for line, whole in lines:
        if not whole or len(line) >= limit or not line.startswith((b"From ", b">From ")):
            yield line, whole
            yield from lines


def _behind_header(
    lines: Iterator[tuple[bytes, bool]], header: Header, postdrop: Postdrop, limit: int
) -> Iterator[tuple[bytes, bool]]:
    """Read and write the header; yield the lines after it, of which the first is empty."""
    rest: list[tuple[bytes, bool]] = []
    for line, whole in lines:
        if not header.take(line):
            rest = [(line, whole)] if not line else [(b"", True), (line, whole)]
            break
    postdrop.write(encode_lines(header.lines, limit))
    yield from rest
    yield from lines


def _copy(lines: Iterable[tuple[bytes, bool]], postdrop: Postdrop, limit: int) -> None:
    """Write lines as records."""
    batch: list[bytes] = []
    size = 0
    for line, whole in lines:
        if not whole or (line and not len(line) % limit):  # a line that fills its records ends in an empty one
            postdrop.write(encode_lines(batch, limit))
            batch = [b""] if whole else []
            postdrop.write(_unterminated(line, limit))
            continue
        batch.append(line)
        size += len(line)
        if size > _BLOCK:
            postdrop.write(encode_lines(batch, limit))
            batch, size = [], 0
    postdrop.write(encode_lines(batch, limit))


def _unterminated(line: bytes, limit: int) -> bytes:
    return b"".join([encode_record(records.UNTERMINATED, line[at : at + limit]) for at in range(0, len(line), limit)])
