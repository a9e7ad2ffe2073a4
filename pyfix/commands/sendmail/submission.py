"""One message from a local program, given to postdrop(1) as records.

Source: sendmail(1); postconf(5) sendmail_fix_line_endings, line_length_limit.
"""

from __future__ import annotations

import os
import pwd
import sys
from typing import NamedTuple

from pyfix.formats import records
from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.formats.queuefile import REQUIRETLS_ESMTP, SMTPUTF8_REQUESTED
from pyfix.formats.records import encode_attribute, encode_lines, encode_record
from pyfix.runtime.console import EX_SOFTWARE, EX_TEMPFAIL, EX_UNAVAILABLE, CommandError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyfix.config.snapshot import Snapshot

_USER_VERIFY = 512
_RECORD = 1024
_SIZE_FORMAT = b"%15d %15d %15d %15d %15d %15d"
_BLOCK = 65536
_RECIPIENT_HEADERS = (b"to", b"cc", b"bcc", b"apparently-to")
_RESENT_HEADERS = (b"resent-to", b"resent-cc", b"resent-bcc")


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
    smtputf8: bool | None
    requiretls: bool | None


def submit(snapshot: Snapshot, submission: Submission) -> int:
    """Send the message on standard input; return 0 when it is safe in the queue.

    Raises CommandError.
    """
    user = _user()
    recipients = [address for word in submission.recipients for address in _addresses(word)]
    if not recipients and not submission.from_headers:
        raise CommandError(
            f"{user.pw_name}({user.pw_uid}): "
            "Recipient addresses must be specified on the command line or via the -t option",
            EX_TEMPFAIL,
        )
    sender = _sender(submission.sender, user)
    limit = int(snapshot.value("line_length_limit"))
    postdrop = Postdrop(snapshot)
    postdrop.write(_envelope(submission, sender, _full_name(submission, user), recipients))
    postdrop.write(encode_record(records.MESSAGE))
    if submission.verify:
        header: list[bytes] = []
        shown = _quoted(sender)
        postdrop.write(encode_lines([f"From: {shown}".encode(), b"Subject: probe"]))
        postdrop.write(_to_header([_quoted(one) for one in recipients]))
    else:
        lines = _lines(sys.stdin.buffer, dots=submission.dots, fix=snapshot.value("sendmail_fix_line_endings"))
        header = _copy(lines, postdrop, limit, keep_header=submission.from_headers)
    postdrop.write(encode_record(records.EXTRACTED))
    if submission.from_headers:
        found = _header_recipients(header)
        if not found and not recipients:
            postdrop.cancel()
            raise CommandError(
                f"{user.pw_name}({user.pw_uid}): No recipient addresses found in message header", EX_TEMPFAIL
            )
        postdrop.write(_recipient_records(submission.notify, found))
    postdrop.write(encode_record(records.END))
    postdrop.finish(user)
    if submission.report:
        print(f"Mail Delivery Status Report will be mailed to <{sender}>.")
    return 0


def _user() -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError:
        raise CommandError(f"unable to find out your login name, uid={os.getuid()}", EX_TEMPFAIL) from None


def _addresses(text: str) -> list[str]:
    """Return the addresses in a list, in internal form."""
    from pyfix.formats.address_list import AddressList

    return [_internal(address) for address in AddressList(text).addresses]


def _internal(address: str) -> str:
    from pyfix.formats.address import external_to_internal

    return external_to_internal(address) if address.startswith('"') or "\\" in address else address


def _quoted(address: str) -> str:
    from pyfix.formats.address import internal_to_external

    return internal_to_external(address)


def _sender(given: str | None, user: pwd.struct_passwd) -> str:
    if given is None:
        return user.pw_name
    if given in ("", "<>"):
        return ""
    addresses = _addresses(given)
    return addresses[0] if addresses else ""


def _full_name(submission: Submission, user: pwd.struct_passwd) -> str:
    if submission.full_name is not None:
        return submission.full_name
    name = os.environ.get("NAME")
    if name is not None:
        return name
    return user.pw_gecos.partition(",")[0].replace("&", user.pw_name.capitalize())


def _envelope(submission: Submission, sender: str, full_name: str, recipients: Sequence[str]) -> bytes:
    parts: list[bytes] = []
    if submission.smtputf8 is not None or submission.requiretls is not None:
        options = (SMTPUTF8_REQUESTED if submission.smtputf8 else 0) | (
            REQUIRETLS_ESMTP if submission.requiretls else 0
        )
        parts.append(encode_record(records.SIZE, _SIZE_FORMAT % (-1, -1, -1, -1, -1, options)))
    if submission.envelope_id:
        parts.append(encode_attribute("envelope_id", submission.envelope_id))
    if submission.ret:
        parts.append(encode_attribute("ret_flags", str(submission.ret)))
    parts.append(encode_attribute("rewrite_context", submission.context))
    if full_name:
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


def _lines(stream: object, *, dots: bool, fix: str) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of the message and whether each had a newline.

    *fix* is sendmail_fix_line_endings: carriage returns before newlines go always, if the first
    line has one (strict), or never.
    """
    strip = fix == "always"
    first = True
    for line in stream:  # type: ignore[attr-defined]  # a binary file
        whole = line.endswith(b"\n")
        text = line[:-1] if whole else line
        if first and fix == "strict":
            strip = text.endswith(b"\r")
        first = False
        if strip and whole and text.endswith(b"\r"):
            text = text[:-1]
        if dots and text == b"." and whole:
            return
        yield text, whole


def _copy(lines: Iterable[tuple[bytes, bool]], postdrop: Postdrop, limit: int, *, keep_header: bool) -> list[bytes]:
    """Write the lines as records, less the ``From `` lines at the start; return the header's if they are wanted."""
    header: list[bytes] = []
    in_header = keep_header
    at_start = True
    batch: list[bytes] = []
    size = 0
    for line, whole in lines:
        if at_start and line.startswith((b"From ", b">From ")):
            continue
        at_start = False
        if in_header:
            in_header = bool(line)
            header.append(line)
        if not whole:
            postdrop.write(encode_lines(batch, limit))
            batch = []
            postdrop.write(_unterminated(line, limit))
            break
        batch.append(line)
        size += len(line)
        if size > _BLOCK:
            postdrop.write(encode_lines(batch, limit))
            batch, size = [], 0
    postdrop.write(encode_lines(batch, limit))
    return header


def _unterminated(line: bytes, limit: int) -> bytes:
    return b"".join([encode_record(records.UNTERMINATED, line[at : at + limit]) for at in range(0, len(line), limit)])


def _header_recipients(lines: Iterable[bytes]) -> list[str]:
    """Return the recipients in a header: of the Resent- fields if there are any, else of the ordinary ones."""
    headers: list[bytes] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and headers:
            headers[-1] += b"\n" + line
        elif b":" in line:
            headers.append(line)
        else:
            break
    ordinary: list[str] = []
    resent: list[str] = []
    is_resent = False
    for header in headers:
        name, _colon, body = header.partition(b":")
        key = name.strip().lower()
        is_resent = is_resent or key.startswith(b"resent-")
        if key in _RECIPIENT_HEADERS or key in _RESENT_HEADERS:
            found = resent if key in _RESENT_HEADERS else ordinary
            found += _addresses(body.decode("utf-8", "surrogateescape"))
    return resent if is_resent else ordinary


class Postdrop:
    """The postdrop(1) program, which has the right to write to maildrop."""

    def __init__(self, snapshot: Snapshot) -> None:
        path = os.path.join(snapshot.value("command_directory"), "postdrop")
        environment = {**os.environ, "MAIL_CONFIG": snapshot.config_directory}
        to_child, from_us = os.pipe()
        from_child, to_us = os.pipe()
        redirect = [
            (os.POSIX_SPAWN_DUP2, to_child, 0),
            (os.POSIX_SPAWN_DUP2, to_us, 1),
        ]
        sys.stdout.flush()
        try:
            self._pid = os.posix_spawn(path, [path, "-r"], environment, file_actions=redirect)
        except OSError as error:
            raise CommandError(f"execvp {path}: {error.strerror}", EX_UNAVAILABLE) from error
        os.close(to_child)
        self._from_child = from_child
        os.close(to_us)
        self._to_child = from_us
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send records, in large blocks."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= _BLOCK:
            self._flush()

    def _flush(self) -> None:
        data = memoryview(b"".join(self._parts))
        self._parts, self._size = [], 0
        try:
            while data:
                data = data[os.write(self._to_child, data) :]
        except OSError:
            # Postdrop says on its standard output, or by its exit status, why it reads no more.
            return

    def cancel(self) -> None:
        """Leave without an end record, so that postdrop drops the message."""
        os.close(self._to_child)
        os.waitpid(self._pid, 0)

    def finish(self, user: pwd.struct_passwd) -> None:
        """Send the rest and wait for the answer.  Raises CommandError."""
        self._flush()
        os.close(self._to_child)
        answer = b""
        while data := os.read(self._from_child, _BLOCK):
            answer += data
        _pid, status = os.waitpid(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        values = _answer(answer)
        result = values.get("status", "")
        if result != "0":
            who = f"{user.pw_name}({user.pw_uid})"
            if result == "4":
                raise CommandError(f"{who}: Error: message file too big", EX_TEMPFAIL)
            if result == "1":
                raise CommandError(f"{who}: internal software error", EX_SOFTWARE)
            if code and not result:
                raise CommandError(f"{who}: unable to execute postdrop: exit status {code}", EX_TEMPFAIL)
            raise CommandError(f"{who}: {values.get('reason') or 'queue file write error'}", EX_TEMPFAIL)


def _answer(data: bytes) -> dict[str, str]:
    """Return what postdrop's second attribute list says."""
    first = end_of_list(data)
    if first < 0:
        return {}
    second = end_of_list(data, first)
    if second < 0:
        return {}
    try:
        return dict(decode_pairs(data[first:second]))
    except AttributeListError:
        return {}
