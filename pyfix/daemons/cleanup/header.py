"""What becomes of each header: kept, dropped or written again, and what it says about the message.

Source: cleanup(8); message_drop_headers, hopcount_limit, detect_8bit_encoding_header, tls_required_enable,
local_header_rewrite_clients (postconf(5)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.daemons.cleanup.generated import add_missing_headers, cut_folded, cut_header
from pyfix.daemons.cleanup.message import Message
from pyfix.daemons.cleanup.origin import log_refusal
from pyfix.daemons.cleanup.quickheader import RECEIVED
from pyfix.formats import status as bits
from pyfix.formats.address_list import AddressList
from pyfix.formats.header import KnownHeader, announces_8bit, find_header, split_header
from pyfix.formats.mime import BODY, ERRORS, NESTING, NON_EMPTY_END, PRIMARY, HeaderClass, MimeError, MimeParser
from pyfix.formats.queuefile import REQUIRETLS_ESMTP, REQUIRETLS_HEADER
from pyfix.formats.records import TEXT
from pyfix.protocols.internal.cleanup import FILTER
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.cleanup.body import BodyCopy
    from pyfix.daemons.cleanup.checks import Checked, Checks

_UNKNOWN: Final = object()
_BLANK: Final = b" \t\r\n"
_SHOWN_OF_AN_ERROR: Final = 100
_BUFFER: Final = 4096
"""Bytes that Postfix's cleanup gathers before it writes them, and finds that they are too many."""


class HeaderWriter:
    """Takes what the MIME parser finds and writes it into the message's queue file."""

    __slots__ = (
        "_depth", "_ended", "_held_lines", "_limit", "_message", "_refusals", "_segment_begins", "_segment_left",
        "body_copy", "ends", "parser", "waiting",
    )  # fmt: skip

    body_copy: BodyCopy

    def __init__(self, message: Message) -> None:
        self._message = message
        self._limit = message.setup.line_limit
        self.parser: MimeParser | None = None
        """Where the header comes from; None: it was taken at one glance."""
        self._ended = False
        self.ends: tuple[int, bool] | None = None
        """Where the header ends in ``out``, when addresses before it wait; and what _complete wants to know."""
        self._refusals: list[tuple[str, bytes]] = []
        self._held_lines: list[tuple[int, bytes, bool]] = []
        """Lines of the body behind the end of a header that waits, and whether they are to be looked at."""
        """What is to be logged of the body that was seen before the header was complete."""
        self._depth = 0
        self._segment_begins = True
        self._segment_left = 0
        self.waiting: list[tuple[int, KnownHeader, bytes, bytes, AddressList]] = []
        """Address headers for which trivial-rewrite(8) must be asked: place in ``out``, header, name,
        body, addresses."""

    # From the parser

    def header(self, checks: HeaderClass, known: KnownHeader | None, name: bytes, body: bytes, state: int) -> None:
        """Take one header of the message, of a part, or of a message inside."""
        message = self._message
        self._segment_begins = True
        if b"\0" in body:
            body = body[: body.index(b"\0")]
        if message.setup.checks is not None and message.flags & FILTER:
            if not message.going:
                return
            self._count_hop(known, state)
            self._take_checked(message.setup.checks.header(message, checks, name + b":" + body), state)
        else:
            self._count_hop(known, state)
            self._take(known, name, body, state)

    def _count_hop(self, known: KnownHeader | None, state: int) -> None:
        """Count a Received: header as the message came with it, whatever header_checks make of it."""
        if state == PRIMARY and known is not None and known.name == RECEIVED:
            self._message.hops += 1

    def _take_checked(self, checked: Checked, state: int) -> None:
        """Take what header_checks and their like have left of a header."""
        message = self._message
        before, text = checked
        if before:
            if not before.isascii():
                message.note_8bit()
            self._write_text(before)
        if text is not None and message.going:
            name, body = split_header(text)
            self._take(find_header(name), name, body, state)

    def _take(self, known: KnownHeader | None, name: bytes, body: bytes, state: int) -> None:
        message = self._message
        if known is not None:
            if state == PRIMARY:
                if not self.primary(known, name, body):
                    return
            elif message.setup.detect_8bit and known.name == "Content-Transfer-Encoding" and announces_8bit(body):
                message.encoding = b"8bit"
        elif state == PRIMARY and name.lower() in message.setup.drop_headers:
            return
        if not body.isascii():
            message.note_8bit()
        self._write(name, body)

    def header_end(self) -> None:
        """The primary header is complete: check it, and add what is missing.  Raises SizeLimitExceeded, OSError."""
        message = self._message
        if self._ended:
            return
        self._ended = True
        cut = None if self.parser is None else self.parser.cut
        action = message.setup.cut_action
        if cut is not None and action == "reject":
            self.mime_error(NON_EMPTY_END, cut)
        if not message.going:
            return
        tells = cut is not None and action == "add_header" and bool(message.flags & FILTER)
        if self.waiting:
            message.out.append(b"")
            self.ends = (len(message.out) - 1, tells)
            return
        if sum(map(len, message.out)) + message.file.size >= _BUFFER:
            message.flush()  # an oversized header must not get as far as a message id
        self._complete(tells)

    def _complete(self, tells: bool) -> None:
        """Add what is missing; *tells*: also that the header had no end."""
        message = self._message
        if message.hops:
            add_missing_headers(message, cut=tells)
            if message.room is not None:
                message.room.header_place, message.room.header_after = message.put_pointer()
        else:
            message.refuse("no Received: header")

    def body(self, kind: int, data: bytes) -> None:
        """Take a piece of the body, or the empty line after a header."""
        message = self._message
        checks = message.setup.checks
        if checks is None or not checks.body or not message.flags & FILTER:
            self.body_copy.add(kind, data)
            return
        parser = self.parser
        assert parser is not None  # this comes from it
        checked = self._is_checked(checks, size_of(data, parser), len(parser.boundaries), ends=parser.state != BODY)
        if self.ends is not None:
            self._held_lines.append((kind, data, checked))  # the end of the header, which waits, is logged first
        elif checked:
            self._add_checked(kind, checks.line(message, data))
        else:
            self.body_copy.add(kind, data)

    def _is_checked(self, checks: Checks, size: int, depth: int, *, ends: bool) -> bool:
        """Tell whether body_checks look at a piece of *size* bytes in parts of *depth*; *ends*: a header follows it."""
        if self._segment_begins or depth != self._depth:
            # After a header, or at the boundary that closes a multipart.
            self._segment_left = checks.size_limit
            self._depth = depth
        self._segment_begins = ends
        if self._segment_left <= 0 and checks.size_limit:
            return False
        self._segment_left -= size
        return True

    def _add_checked(self, kind: int, checked: Checked) -> None:
        before, text = checked
        if before:
            self.body_copy.add(TEXT, before)
        if text is not None:
            self.body_copy.add(kind, text)

    def mime_error(self, error: MimeError, text: bytes) -> None:
        """Refuse the message, where the client wants content to be looked at."""
        message = self._message
        if not message.flags & FILTER or (error is NESTING and not message.setup.strict_nesting):
            return
        if message.mime_error is None or ERRORS.index(error) < ERRORS.index(message.mime_error):
            message.mime_error = error
        refusal = f"mime-error {error.text}", text[:_SHOWN_OF_AN_ERROR]
        if self.ends is None:
            log_refusal(message, *refusal)
        else:
            self._refusals.append(refusal)  # the end of the header, which waits, is logged first

    # Primary header

    def primary(self, known: KnownHeader, name: bytes, body: bytes) -> bool:
        """Take note of a known header; tell whether it must still be written."""
        message = self._message
        setup = message.setup
        title = known.name
        message.seen.add(title)
        if known.resent:
            message.resent = "Resent-"
        # What a header says is taken note of even where it is removed; those of MIME are never removed.
        kept = known.mime or name.lower() not in setup.drop_headers
        if known.sender or known.recipient:
            context = message.rewrite if kept else None
            if context is not None and message.going:
                return not self._rewrite(context, known, name, body)
        elif title == RECEIVED:
            if message.hops >= setup.hop_limit:
                message.refuse("hopcount exceeded", bits.HOPS)
        elif title in ("Message-Id", "Resent-Message-Id"):
            _note_id(message, title, body)
        elif title == "Content-Transfer-Encoding":
            if setup.detect_8bit and announces_8bit(body):
                message.encoding = b"8bit"
        elif title == "TLS-Required":
            if setup.settings.tls_required_enable:
                if body.lstrip(_BLANK).lower() == b"no":
                    message.options |= REQUIRETLS_HEADER
                else:
                    text = _as_text(name + b":" + body)
                    log.warning(f"ignoring malformed header: '{text:.100}'")
        elif title == "Require-TLS-ESMTP" and setup.settings.requiretls_esmtp_header:
            message.options |= REQUIRETLS_ESMTP if body.lstrip(_BLANK).lower() == b"yes" else 0
        return kept

    def _rewrite(self, context: str, known: KnownHeader, name: bytes, body: bytes) -> bool:
        """Give the addresses of a header their standard form; tell whether the header was written again."""
        message = self._message
        setup = message.setup
        if setup.mapping is None:
            text = setup.headers.get((context, name, body), _UNKNOWN)
            if text is not _UNKNOWN:
                if text is None:
                    return False
                assert isinstance(text, bytes)  # what is remembered is text or None
                if not text.isascii():
                    message.note_8bit()
                message.out.append(message.header_records(text))
                return True
        addresses = AddressList(_as_text(body), setup.token_limit)
        if setup.mapping is None:
            standard = [setup.standard.external_now(context, address) for address in addresses.addresses]
            if None not in standard:
                return self._written(context, name, body, addresses, standard)  # type: ignore[arg-type]  # no None is left in it
        message.out.append(b"")
        self.waiting.append((len(message.out) - 1, known, name, body, addresses))
        return True

    def _written(self, context: str, name: bytes, body: bytes, addresses: AddressList, standard: list[str]) -> bool:
        message = self._message
        text = addresses.header(name.decode("ascii"), standard)
        raw = None
        if text is not None:
            if not text.isascii():
                message.note_8bit()
            raw = cut_folded(text.encode("utf-8", "surrogateescape"), message.setup.header_limit)
        if message.setup.mapping is None:
            message.setup.remember_header((context, name, body), raw)
        if raw is None:
            return False
        message.out.append(message.header_records(raw))
        return True

    async def resolve(self) -> None:
        """Ask for the addresses of the headers that wait, and put the headers in their places.  Raises ServiceError."""
        message = self._message
        setup = message.setup
        waiting, self.waiting = self.waiting, []
        context = message.rewrite
        assert context is not None  # no header waits without one
        for place, known, name, body, addresses in waiting:
            standard = [await setup.standard.external(context, address) for address in addresses.addresses]
            if setup.mapping is not None:
                standard = await setup.mapping.header(message, standard, known)
            after = message.out[place + 1 :]
            del message.out[place:]
            if not self._written(context, name, body, addresses, standard):
                if not body.isascii():
                    message.note_8bit()
                self._write(name, body)
            message.out[place:] = [b"".join(message.out[place:])]
            message.out += after
        if self.ends is not None:
            place, tells = self.ends
            self.ends = None
            after = message.out[place + 1 :]
            del message.out[place:]
            self._complete(tells)
            message.out += after
            for refusal in self._refusals:
                log_refusal(message, *refusal)
            self._refusals.clear()
            for kind, data, checked in self._held_lines:
                if checked and setup.checks is not None:
                    self._add_checked(kind, setup.checks.line(message, data))
                else:
                    self.body_copy.add(kind, data)
            self._held_lines.clear()

    # Writing

    def _write(self, name: bytes, body: bytes) -> None:
        self._write_text(name + b":" + body)

    def _write_text(self, text: bytes) -> None:
        message = self._message
        message.out.append(message.header_records(cut_header(text, message.setup.header_limit)))


def size_of(data: bytes, parser: MimeParser) -> int:
    """Return how much of body_checks_size_limit a line of the body takes: nothing, where the message lacks it."""
    return 0 if parser.adds_line else len(data) + 1


def _as_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _note_id(message: Message, title: str, body: bytes) -> None:
    """Log a message id, and keep the first one for threaded notices."""
    value = body.lstrip(_BLANK)
    log.info(f"{message.queue_id}: {title.lower()}={_as_text(value)}")
    if title == "Resent-Message-Id":
        return
    if not message.message_id and value.startswith(b"<"):
        end = value.find(b">")
        if end > 0:
            message.message_id = value[: end + 1].replace(b"\n", b" ")
    message.id_logged = True
