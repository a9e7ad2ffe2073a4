"""Headers that the mail system adds to mail from here: Message-Id, Date, From, To.

Source: cleanup(8); always_add_missing_headers, header_from_format, full_name_encoding_charset,
undisclosed_recipients_header, requiretls_esmtp_header (postconf(5)); RFC 5322 section 3.6.
"""

from __future__ import annotations

from typing import Final

from pyfix.daemons.cleanup.message import Message
from pyfix.formats.address import internal_to_external
from pyfix.formats.address_list import FOLD_WIDTH
from pyfix.formats.fullname import clean_name, comment_words, phrase_words
from pyfix.formats.header import header_name_end
from pyfix.formats.maildate import mail_date
from pyfix.formats.queuefile import REQUIRETLS_ESMTP
from pyfix.protocols.internal.cleanup import REQUIRE_TLS
from pyfix.runtime.log import log

_VISIBLE: Final = frozenset(("To", "Cc", "Resent-To", "Resent-Cc"))
_FOLD: Final = b"\n\t"
_NULL_SENDER: Final = "MAILER-DAEMON"


def add_missing_headers(message: Message, *, cut: bool = False) -> None:
    """Add at the end of the primary header what it should have and has not; log the message id if nobody did.

    *cut* is whether to tell that the header had no empty line at its end (non_empty_end_of_header_action).
    """
    setup = message.setup
    resent = message.resent
    seen = message.seen
    adds = message.rewrite is not None or setup.always_add
    if adds:
        if f"{resent}Message-Id" not in seen:
            _add_id(message)
        if f"{resent}Date" not in seen:
            try:
                date = mail_date(message.arrival)
            except (OverflowError, OSError):
                message.refuse("time envelope record beyond all calendars")
                return
            _add(message, f"{resent}Date: {date}")
        if f"{resent}From" not in seen:
            _add(message, f"{resent}From: {_from(message, len(resent) + 6)}")
    if not message.id_logged:
        log.info(f"{message.queue_id}: message-id=<>")
    if adds and setup.undisclosed and seen.isdisjoint(_VISIBLE):
        _add_undisclosed(message, setup.undisclosed)
    wanted = message.flags & REQUIRE_TLS and setup.settings.requiretls_esmtp_header
    if wanted and not message.options & REQUIRETLS_ESMTP:
        _write(message, b"Require-TLS-ESMTP: yes")
    if cut:
        _write(message, b"MIME-Error: message header was not terminated by empty line")


def cut_header(text: bytes, limit: int) -> bytes:
    """Return as much of a header as postconf(5) header_size_limit allows to be written.

    A line that begins in the last tenth is left out rather than cut.
    """
    if len(text) <= limit:
        return text
    end = text.rfind(b"\n", 0, limit)
    return text[:limit] if end < limit * 9 // 10 else text[:end]


def cut_folded(text: bytes, limit: int) -> bytes:
    """Return as much of a header that was folded here; a fold counts as the one blank that it replaced."""
    if len(text) <= limit:
        return text
    return cut_header(text.replace(_FOLD, b"\n"), limit).replace(b"\n", _FOLD)


def _add_undisclosed(message: Message, text: str) -> None:
    if header_name_end(text.encode("utf-8", "surrogateescape")):
        _add(message, text)
    else:
        log.warning(f'bad undisclosed_recipients_header header text "{text}" -- need "headername: headervalue"')


def _add(message: Message, text: str) -> None:
    _write(message, cut_folded(_noted(message, text), message.setup.header_limit))


def _noted(message: Message, text: str) -> bytes:
    """Return *text* in bytes, and take note of what is not ASCII in it."""
    raw = text.encode("utf-8", "surrogateescape")
    if not raw.isascii():
        message.note_8bit()
    return raw


def _write(message: Message, raw: bytes) -> None:
    message.out.append(message.header_records(raw))


def _add_id(message: Message) -> None:
    setup = message.setup
    queue_id = message.queue_id
    # A long queue id never comes again; a short one needs the time beside it.
    unique = queue_id if setup.long_ids else f"{setup.stamp()}.{queue_id}"
    value = f"<{unique}@{setup.hostname}>"
    _add(message, f"{message.resent}Message-Id: {value}")
    log.info(f"{queue_id}: {message.resent.lower()}message-id={value}")
    if not message.resent:
        message.id_logged = True
        message.message_id = value.encode()


def _from(message: Message, used: int) -> str:
    """Return what follows ``From: ``; *used* is the width of what stands before it."""
    sender = message.sender
    if not sender:
        return _NULL_SENDER
    address = internal_to_external(sender)
    name = clean_name(message.full_name)
    if not name:
        return address
    charset = message.setup.settings.full_name_encoding_charset
    if message.setup.obsolete_from:
        return _folded([address, *comment_words(name, charset)], used)
    phrase = phrase_words(name, charset)
    tokens = phrase if phrase[0][0] == '"' else " ".join(phrase).split(" ")
    if len(tokens) > message.setup.token_limit:
        phrase = [" ".join(tokens[: message.setup.token_limit])]
    return _folded([*phrase, f"<{address}>"], used)


def _folded(pieces: list[str], used: int) -> str:
    """Join *pieces* to lines that stay shorter than FOLD_WIDTH where they can."""
    text = pieces[0]
    width = used + len(text)
    for piece in pieces[1:]:
        if width + 1 + len(piece) < FOLD_WIDTH:
            text += f" {piece}"
            width += 1 + len(piece)
        else:
            text += f"\n\t{piece}"
            width = len(piece)
    return text
