"""MAIL and RCPT commands with their parameters.

Source: RFC 5321, RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 3461 (DSN), RFC 6531 (SMTPUTF8), RFC 8689 (REQUIRETLS).
"""

from __future__ import annotations

from typing import Final

from pyfix.daemons.smtp.session import Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.formats.address import internal_to_external
from pyfix.formats.queuefile import (
    NOTIFY_DELAY,
    NOTIFY_FAILURE,
    NOTIFY_NEVER,
    NOTIFY_SUCCESS,
    RET_FULL,
    RET_HEADERS,
    SMTPUTF8_HEADER,
    SMTPUTF8_RECIPIENT,
    SMTPUTF8_REQUESTED,
    SMTPUTF8_SENDER,
)
from pyfix.formats.textforms import xtext_encode
from pyfix.protocols.internal.delivery import DeliveryRequest, Recipient
from pyfix.protocols.smtp.transfer import Stage

_UTF8_CONTENT: Final = SMTPUTF8_HEADER | SMTPUTF8_SENDER | SMTPUTF8_RECIPIENT
_UNKNOWN: Final = "unknown"
_NOTIFY: Final = (
    (NOTIFY_NEVER, "NEVER"), (NOTIFY_SUCCESS, "SUCCESS"), (NOTIFY_FAILURE, "FAILURE"), (NOTIFY_DELAY, "DELAY"),
)  # fmt: skip


def mail_command(request: DeliveryRequest, sender: str, session: Session, setup: Setup) -> bytes:
    """Return MAIL FROM with what the server's offer allows to say."""
    offer = session.offer
    words = [f"MAIL FROM:<{_address(sender, setup)}>"]
    if "SIZE" in offer and not needs_conversion(request, session, setup):
        words.append(f"SIZE={request.size}")
    if "8BITMIME" in offer:
        if request.encoding == "8bit":
            words.append("BODY=8BITMIME")
        elif request.encoding == "7bit":
            words.append("BODY=7BIT")
    if "DSN" in offer:
        if request.envelope_id:
            words.append(f"ENVID={xtext_encode(request.envelope_id)}")
        if request.ret_flags & (RET_FULL | RET_HEADERS):
            words.append("RET=FULL" if request.ret_flags & RET_FULL else "RET=HDRS")
    if "SMTPUTF8" in offer and request.sendopts & SMTPUTF8_REQUESTED:
        words.append("SMTPUTF8")
    if session.authenticated and setup.settings.smtp_send_dummy_mail_auth:
        words.append("AUTH=<>")
    return " ".join(words).encode("utf-8", "surrogateescape")


def _orcpt(address: str) -> str:
    """Return an address as ORCPT has it.  Source: RFC 3461 section 4.2, RFC 6533 section 3."""
    external = internal_to_external(address)
    if external.isascii():
        return f"rfc822;{xtext_encode(external)}"
    return f"utf-8;{external}"


def needs_utf8(request: DeliveryRequest) -> bool:
    """Say whether only a server with SMTPUTF8 can take the message.  Source: SMTPUTF8_README."""
    return bool(request.sendopts & SMTPUTF8_REQUESTED and request.sendopts & _UTF8_CONTENT)


def needs_conversion(request: DeliveryRequest, session: Session, setup: Setup) -> bool:
    """Say whether content has to be made 7-bit for this server; how large it will be then nobody knows.

    Source: postconf(5) disable_mime_output_conversion.
    """
    if "8BITMIME" in session.offer or request.encoding == "7bit":
        return False
    return not setup.settings.disable_mime_output_conversion


def rcpt_command(recipient: Recipient, address: str, session: Session, setup: Setup) -> bytes:
    """Return RCPT TO with what the server's offer allows to say."""
    words = [f"RCPT TO:<{_address(address, setup)}>"]
    if "DSN" in session.offer:
        if recipient.dsn_orig_rcpt:
            kind, _, address_there = recipient.dsn_orig_rcpt.partition(";")
            words.append(f"ORCPT={kind};{xtext_encode(address_there)}")
        elif recipient.original_recipient:
            words.append(f"ORCPT={_orcpt(recipient.original_recipient)}")
        if recipient.notify_flags:
            names = [name for bit, name in _NOTIFY if recipient.notify_flags & bit]
            words.append(f"NOTIFY={','.join(names)}")
    return " ".join(words).encode("utf-8", "surrogateescape")


def xforward_commands(request: DeliveryRequest, session: Session, setup: Setup) -> dict[Stage, bytes]:
    """Return what tells the server about the client that the message came from.

    Source: XFORWARD_README; postconf(5) smtp_send_xforward_command.
    """
    if not setup.settings.smtp_send_xforward_command or not session.offer.xforward:
        return {}
    source = "LOCAL" if request.rewrite_context == "local" else "REMOTE"
    values = {
        Stage.XFORWARD_NAME: (
            ("NAME", request.client_name), ("ADDR", request.client_address), ("PORT", request.client_port),
        ),
        Stage.XFORWARD_HELO: (
            ("PROTO", request.protocol_name), ("HELO", request.helo_name), ("IDENT", request.log_ident),
            ("SOURCE", source),
        ),
    }  # fmt: skip
    commands = {}
    for stage, pairs in values.items():
        words = [
            f"{name}={xtext_encode(value)}"
            for name, value in pairs
            if value and value.lower() != _UNKNOWN and name in session.offer.xforward
        ]
        if words and (len(words) > 1 or not words[0].startswith("SOURCE=") or request.rewrite_context):
            commands[stage] = " ".join(["XFORWARD", *words]).encode("utf-8", "surrogateescape")
    return commands


def _address(address: str, setup: Setup) -> str:
    return internal_to_external(address) if setup.settings.smtp_quote_rfc821_envelope else address
