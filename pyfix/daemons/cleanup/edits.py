"""What a milter wants to have changed, done to the queue file of the message.

Source: cleanup(8); MILTER_README; postconf(5) milter_header_checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from pyfix.content.action import BadAction, UnknownAction, parse_action
from pyfix.daemons.cleanup.generated import cut_header
from pyfix.daemons.cleanup.message import Delivered
from pyfix.daemons.cleanup.origin import client_origin
from pyfix.daemons.cleanup.recipients import add_milter_recipient, standard_sender
from pyfix.formats import status as bits
from pyfix.formats.address import external_to_internal
from pyfix.formats.address_list import AddressList
from pyfix.formats.queuefile import NOTIFY_DELAY, NOTIFY_FAILURE, NOTIFY_NEVER, NOTIFY_SUCCESS, RET_FULL, RET_HEADERS
from pyfix.formats.records import (
    ATTRIBUTE,
    ORIGINAL_RECIPIENT,
    POINTER,
    RECIPIENT,
    REDIRECT,
    SENDER,
    encode_record,
    read_records,
)
from pyfix.formats.records import FILTER as FILTER_RECORD
from pyfix.formats.textforms import XtextError, xtext_decode
from pyfix.protocols.internal.cleanup import BOUNCE, DISCARD, FILTER, HOLD
from pyfix.protocols.milter.modification import (
    AddHeader,
    AddRecipient,
    BodyPiece,
    ChangeHeader,
    ChangeSender,
    DeleteRecipient,
    InsertHeader,
    Modification,
)
from pyfix.protocols.milter.verdict import Refuse
from pyfix.queue.room import DamagedFile, Room, padding_after
from pyfix.queue.writer import SizeLimitExceeded
from pyfix.rewriting.lookup import MappingError
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.cleanup.message import Message

__all__ = ["Edits"]

_UNSUPPORTED: Final = "?"
_NOTIFY: Final = {"SUCCESS": NOTIFY_SUCCESS, "FAILURE": NOTIFY_FAILURE, "DELAY": NOTIFY_DELAY}
_LONGEST_HEADER: Final = 60000
"""Bytes that are written of a milter's header."""
_RET: Final = {"FULL": RET_FULL, "HDRS": RET_HEADERS}
_ORCPT: Final = re.compile(r"(?i)(?:rfc822|utf-8);[!-~]+")
_PRINTABLE: Final = re.compile(r"[ -~]+")


class Edits:
    """What one milter does to one message."""

    __slots__ = ("_exact", "_line", "_message", "_orders", "_replaces", "_room")

    def __init__(self, message: Message, room: Room, orders: dict[int, bytes], *, exact: bool) -> None:
        """*orders* takes what checks ask for, by type of record, to be written in the end.

        *exact*: the milter says itself what blank follows the colon of a header.
        """
        self._message = message
        self._room = room
        self._exact = exact
        self._orders = orders
        self._replaces = False
        """A new body has begun."""
        self._line = b""
        """The beginning of a line of the new body."""

    async def edit(self, change: Modification) -> Refuse | None:
        """Do what the milter asks for; return what to answer the client when that fails."""
        if not isinstance(change, BodyPiece) and (failure := self.end_body()) is not None:
            return failure
        try:
            match change:
                case AddHeader():
                    await self._header(change.name, change.value, self._room.add_header)
                case InsertHeader():
                    await self._header(change.name, change.value, partial(self._room.insert_header, change.index))
                case ChangeHeader():
                    await self._change_header(change)
                case ChangeSender():
                    await self._change_sender(change)
                case AddRecipient():
                    await self._add_recipient(change)
                case DeleteRecipient():
                    self._delete_recipient(change)
                case BodyPiece():
                    self._add_body(change.data)
        except Refused as refusal:
            code = "451" if str(refusal).startswith("4") else "550"
            return Refuse(f"{code} {refusal}", logged=True)
        except (SizeLimitExceeded, DamagedFile, OSError, ServiceError, MappingError) as error:
            return self._failed(error)
        return None

    def end_body(self) -> Refuse | None:
        """End a body that was begun; return what to answer the client when that fails."""
        if not self._replaces:
            return None
        self._replaces = False
        try:
            if self._line:
                self._room.add_line(self._line, ended=True)
            self._line = b""
            self._room.end_body()
        except (SizeLimitExceeded, DamagedFile, OSError) as error:
            return self._failed(error)
        return None

    def _failed(self, error: Exception) -> Refuse:
        message = self._message
        if isinstance(error, SizeLimitExceeded):
            log.warning(f"{message.queue_id}: queue file size limit exceeded")
            message.errors |= bits.SIZE
            return Refuse("552 5.3.4 Message size exceeds fixed limit")
        if str(error):
            log.warning(f"{message.queue_id}: {error}")
        message.errors |= bits.WRITE
        return Refuse("451 4.3.0 Server internal error")

    # Headers

    async def _header(self, name: bytes, value: bytes, write: Callable[[bytes], None]) -> None:
        """Write a header, unless milter_header_checks are against it."""
        message = self._message
        text = await self._checked(name + b":" + self._blank() + value)
        if text is not None:
            if not text.isascii():
                message.note_8bit()
            write(message.header_records(cut_header(text, min(message.setup.header_limit, _LONGEST_HEADER))))

    def _blank(self) -> bytes:
        return b"" if self._exact else b" "

    async def _change_header(self, change: ChangeHeader) -> None:
        if not change.value:
            self._room.delete_header(change.index, change.name)
            return
        write = partial(self._room.change_header, change.index, change.name)
        await self._header(change.name, change.value, write)

    async def _checked(self, text: bytes) -> bytes | None:
        """Ask milter_header_checks about a header; return what to write of it.  Raises MappingError."""
        message = self._message
        checks = message.setup.milter_checks
        if checks is None or not message.flags & FILTER:
            return text
        try:
            value = await checks.find(text.decode("utf-8", "surrogateescape"))
        except TableError:
            problem = "milter_header_checks map lookup problem -- message not accepted, try again later"
            raise MappingError(problem) from None
        if value is None:
            return text
        try:
            verb, argument = parse_action(value, "milter_header_checks")
        except UnknownAction:
            verb, argument = _UNSUPPORTED, ""
        except BadAction as fault:
            log.warning(str(fault))
            return text
        if verb in (_UNSUPPORTED, "PASS"):
            log.warning(f"unsupported command in milter_header_checks map: {value}")
            return text
        return await self._acted(verb, argument, text)

    async def _acted(self, verb: str, argument: str, text: bytes) -> bytes | None:
        """Do what a table asks for; return what to write of the header."""
        message = self._message
        if verb == "DUNNO":
            return text
        if verb == "IGNORE":
            return None
        if verb == "HOLD" and message.flags & HOLD:
            return text
        self._log_check(verb, argument, text)
        raw = argument.encode("utf-8", "surrogateescape")
        match verb:
            case "REJECT":
                raise Refused(argument)
            case "HOLD":
                message.flags |= HOLD
            case "DISCARD":
                message.flags |= DISCARD
                message.flags &= ~FILTER
            case "FILTER":
                self._orders[FILTER_RECORD] = raw
            case "REDIRECT":
                self._orders[REDIRECT] = raw
                message.flags &= ~FILTER
            case "BCC":
                await self._write_recipient(argument, "", 0)
            case "PREPEND":
                log.warning("the milter_header/body_checks prepend action is not implemented")
            case "REPLACE":
                return raw
            case "STRIP":
                return None
        return text

    def _log_check(self, verb: str, argument: str, text: bytes) -> None:
        message = self._message
        shown = text[:200].decode("utf-8", "surrogateescape")
        action = "warning" if verb == "WARN" else verb.lower()
        line = f"{message.queue_id}: milter-header-{action}: header {shown} from {client_origin(message)}"
        log.info(f"{line}: {argument}")

    # Envelope

    async def _change_sender(self, change: ChangeSender) -> None:
        message = self._message
        text = change.address.decode("utf-8", "surrogateescape")
        addresses = AddressList(text, message.setup.token_limit).addresses
        if len(addresses) > 1:
            log.warning(f'{message.queue_id}: Milter request to add multi-sender: "{text}"')
        address = external_to_internal(addresses[0]) if addresses else ""
        records = b""
        for word in change.arguments.decode("utf-8", "surrogateescape").split():
            name, _, value = word.partition("=")
            if name.upper() == "RET" and value.upper() in _RET:
                message.ret_flags = _RET[value.upper()]
                records += encode_record(ATTRIBUTE, b"ret_flags=%d" % message.ret_flags)
            elif name.upper() == "ENVID" and (envelope_id := _decoded(value)):
                records = encode_record(ATTRIBUTE, b"envelope_id=" + envelope_id.encode()) + records
            else:
                log.warning(f'Ignoring bad ESMTP parameter "{word}" in SMFI_CHGFROM request')
        message.sender = await standard_sender(message, address.encode("utf-8", "surrogateescape"))
        raw = message.sender.encode("utf-8", "surrogateescape")
        self._room.change_sender(records + encode_record(SENDER, raw) + padding_after(len(raw), POINTER))

    async def _add_recipient(self, change: AddRecipient) -> None:
        message = self._message
        address = self._one_address(change.address, "add")
        if not address:
            log.warning(f"{message.queue_id}: ignoring attempt from Milter to add null recipient")
            return
        notify, orcpt = 0, ""
        for word in change.arguments.decode("utf-8", "surrogateescape").split():
            name, _, value = word.partition("=")
            if name.upper() == "NOTIFY":
                found = _notify(value)
                if not found:
                    log.warning(f'unknown DSN NOTIFY command value "{value}" in "{value}"')
                    self._complain("Bad NOTIFY parameter from", word)
                notify = found
            elif name.upper() == "ORCPT":
                if _ORCPT.fullmatch(value):
                    orcpt = value
                else:
                    self._complain("Bad ORCPT parameter from", word)
            else:
                self._complain("ignoring ESMTP argument from", word)
        await self._write_recipient(address, orcpt, notify)

    def _complain(self, about: str, word: str) -> None:
        log.warning(f'{self._message.queue_id}: {about} Milter or header/body_checks: "{word:.100}"')

    async def _write_recipient(self, address: str, orcpt: str, notify: int) -> None:
        message = self._message
        # A record is not to get into the file by itself, for its offset to be known.
        returned = message.flags & BOUNCE
        message.flags &= ~BOUNCE
        try:
            await add_milter_recipient(message, address, orcpt, notify)
        finally:
            message.flags |= returned
        records = b"".join(message.out)
        message.out.clear()
        if not records:
            return
        place = self._room.add_recipients(records)
        if returned:
            message.recipients += _delivered(records, place)

    def _one_address(self, raw: bytes, what: str) -> str:
        """Return the address (internal form) that a milter names, the first of several."""
        text = raw.decode("utf-8", "surrogateescape")
        addresses = AddressList(text, self._message.setup.token_limit).addresses
        if len(addresses) > 1:
            by = "Milter or header/body_checks request" if what == "add" else "Milter request"
            log.warning(f'{self._message.queue_id}: {by} to {what} multi-recipient: "{text}"')
        return external_to_internal(addresses[0]) if addresses else ""

    def _delete_recipient(self, change: DeleteRecipient) -> None:
        address = self._one_address(change.address, "drop")
        self._room.delete_recipient(address.encode("utf-8", "surrogateescape"))
        message = self._message
        message.recipients = [entry for entry in message.recipients if entry.original != address]

    # Body

    def _add_body(self, data: bytes) -> None:
        if not self._replaces:
            self._replaces = True
            self._room.replace_body()
        limit = self._message.setup.line_limit
        lines = (self._line + data).split(b"\n")
        self._line = lines.pop()
        for line in lines:
            rest = self._without_full_records(line, limit)
            self._room.add_line(rest.removesuffix(b"\r"), ended=True)
        self._line = self._without_full_records(self._line, limit)

    def _without_full_records(self, line: bytes, limit: int) -> bytes:
        """Write as much of a line as fills records; return the rest."""
        while len(line) >= limit:
            self._room.add_line(line[:limit], ended=False)
            line = line[limit:]
        return line


class Refused(Exception):
    """A check refuses the message; the text has enhanced status code and reason."""


def _delivered(records: bytes, place: int) -> list[Delivered]:
    """Return the recipients among records that stand at *place* in the file."""
    found = []
    original, orcpt, notify = "", "", 0
    for record in read_records(records):
        text = record.data.decode("utf-8", "surrogateescape")
        if record.kind == ORIGINAL_RECIPIENT:
            original = text
        elif record.kind == RECIPIENT:
            found.append(Delivered(text, original, orcpt, notify, place + record.offset))
            original, orcpt, notify = "", "", 0
        elif text.startswith("dsn_orig_rcpt="):
            orcpt = text.partition("=")[2]
        elif text.startswith("notify_flags="):
            notify = int(text.partition("=")[2])
    return found


def _decoded(value: str) -> str:
    """Return what an ENVID parameter stands for; nothing for a bad one.  Source: RFC 3461 section 4.4."""
    try:
        found = xtext_decode(value)
    except XtextError:
        return ""
    return found if _PRINTABLE.fullmatch(found) else ""


def _notify(value: str) -> int:
    """Return the bits of a NOTIFY parameter, 0 for a bad one.  Source: RFC 3461 section 4.1."""
    words = value.upper().split(",")
    if words == ["NEVER"]:
        return NOTIFY_NEVER
    if any(word not in _NOTIFY for word in words):
        return 0
    return sum({_NOTIFY[word] for word in words})
