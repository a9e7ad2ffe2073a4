"""What smtpd gives cleanup(8) of a message beside its content: envelope records and Received: header.

Source: smtpd(8); RFC 5321 section 4.4; postconf(5) smtpd_hide_client_session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.daemons.smtpd import proxyfilter
from pyfix.formats.address import internal_to_external
from pyfix.formats.maildate import mail_date
from pyfix.formats.records import (
    ATTRIBUTE,
    END,
    EXTRACTED,
    FILTER,
    FLAGS,
    MESSAGE,
    MILTER_COUNT,
    RECIPIENT,
    REDIRECT,
    SENDER,
    TEXT,
    TIME,
    VERP,
    encode_attributes,
    encode_record,
)
from pyfix.formats.textforms import printable
from pyfix.protocols.internal import cleanup as flags
from pyfix.protocols.smtp.parameters import RcptParameters
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tls.facts import TlsFacts

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.milters import SessionMilters
    from pyfix.daemons.smtpd.session import Session

__all__ = ["add_recipient", "begin_content", "end_content", "opened"]

_NEVER: Final = 1
_CLIENT_NAMES: Final = frozenset(("NAME", "ADDR", "PORT", "PROTO", "HELO"))
"""Attributes of XFORWARD that describe a client; with any of them the log has that client and none of ours."""
_SERVICE_FAILED: Final = "451 4.3.0 Error: queue file write error"


_NO_MILTERS_YET: Final = encode_record(MILTER_COUNT, b"0")
"""Says that milters will see the message, and that non_smtpd_milters are not for it."""
_EXTRACTED: Final = encode_record(EXTRACTED)
_END: Final = encode_record(END)


async def opened(session: Session) -> bool:
    """Open the message at cleanup(8); on failure reply, and tell so.  What introduce() does is still to be done."""
    server = session.server
    if server.proxy is not None:
        return await proxyfilter.opened(session, server.proxy)
    bits = server.cleanup_flags | flags.SMTP_REPLY
    if session.milters is None:
        bits &= ~flags.MILTER
    if session.mail.smtputf8:
        bits |= flags.SMTPUTF8
    if session.mail.requiretls:
        bits |= flags.REQUIRE_TLS
    try:
        new = await server.new_message(bits)
    except ServiceError as error:
        log.warning(f"new message: {error}")
        session.blame("resource")
        session.reply(_SERVICE_FAILED)
        return False
    if session.milters is not None:
        new.write(_NO_MILTERS_YET)
    session.message = new
    session.transaction.queue_id = new.queue_id
    return True


def filter_record(content_filter: str) -> bytes:
    """Return the record that sends all mail through a filter; nothing when there is none."""
    return encode_record(FILTER, content_filter.encode("utf-8", "surrogateescape")) if content_filter else b""


def introduce(session: Session) -> None:
    """Write the first records of a message that was opened, and say in the log whose it is."""
    new = session.message
    assert new is not None
    transaction = session.transaction
    if new.queue_id:
        new.write(_envelope(session, new.queue_id))
    text = f"{new.queue_id or 'NOQUEUE'}: client={session.client.log_name}"
    if transaction.sasl_method:
        text += f", sasl_method={transaction.sasl_method}"
    if transaction.sasl_username:
        text += f", sasl_username={transaction.sasl_username}"
    if transaction.sasl_sender is not None:
        text += f", sasl_sender={transaction.sasl_sender}"
    forwarded = session.forwarded
    if forwarded:
        if forwarded.get("IDENT") is not None:
            text += f", orig_queue_id={forwarded['IDENT']}"
        if _CLIENT_NAMES.intersection(forwarded):
            text += f", orig_client={_forwarded_client(session)}"
    log.info(text)


def _forwarded_client(session: Session) -> str:
    forwarded = session.forwarded
    text = forwarded.get("NAME") or "unknown"
    if not forwarded.get("ADDR"):
        return text
    text += f"[{forwarded['ADDR']}]"
    if session.settings.smtpd_client_port_logging:
        text += f":{forwarded.get('PORT') or 'unknown'}"
    return text


def _envelope(session: Session, queue_id: str) -> bytes:
    """Return the records before the first recipient; pickup(8) will add what postdrop(1) is not told."""
    if session.server.stand_alone:
        first = encode_record(SENDER, (session.transaction.sender or "").encode("utf-8", "surrogateescape"))
        return first + (_attribute(f"encoding={session.mail.encoding}") if session.mail.encoding else b"")
    transaction = session.transaction
    found = session.mail
    forwarded = session.forwarded
    client = session.client
    arrival = session.arrival
    seconds = int(arrival)
    source = forwarded.get("SOURCE") or ("LOCAL" if session.rewrites_locally else "REMOTE")
    ident = forwarded.get("IDENT")
    if ident is None:
        ident = queue_id
    origin = [f"log_ident={ident}"] if ident else []
    origin.append(f"rewrite_context={source.lower()}")
    if transaction.sasl_method:
        origin.append(f"sasl_method={transaction.sasl_method}")
    if transaction.sasl_username:
        origin.append(f"sasl_username={transaction.sasl_username}")
    if transaction.sasl_sender is not None:
        origin.append(f"sasl_sender={transaction.sasl_sender}")
    if found.envid:
        origin.append(f"envelope_id={found.envid}")
    if found.ret:
        origin.append(f"ret_flags={found.ret}")
    helo = [] if transaction.helo_name is None else [f"helo_name={transaction.helo_name}"]
    protocol = f"protocol_name={transaction.protocol}"
    if forwarded and _CLIENT_NAMES.intersection(forwarded):
        logged = _forwarded_attributes(session)
    else:
        logged = [
            f"log_client_name={client.name}",
            f"log_client_address={client.printed_address}",
            f"log_client_port={client.port}",
            f"log_message_origin={client.log_name}",
            *[f"log_{text}" for text in helo],
            f"log_{protocol}",
        ]
    last = [
        *logged,
        f"client_name={client.name}",
        f"reverse_client_name={client.reverse_name}",
        f"client_address={client.address}",
        f"client_port={client.port}",
        f"server_address={client.server_address}",
        f"server_port={client.server_port}",
        *helo,
        protocol,
        f"client_address_type={client.family}",
    ]
    if found.encoding:
        last.insert(0, f"encoding={found.encoding}")
    sender = transaction.sender or ""
    records = (
        encode_record(TIME, b"%d %d" % (seconds, int((arrival - seconds) * 1_000_000)))
        + session.server.filter_record
        + encode_attributes(origin)
        + encode_record(SENDER, sender.encode("utf-8", "surrogateescape"))
        + encode_attributes(last)
    )
    if found.verp is not None:
        verp = found.verp or session.settings.default_verp_delimiters
        records += encode_record(VERP, verp.encode("ascii", "replace"))
    return records


def _forwarded_attributes(session: Session) -> list[str]:
    """Return what the log is to say of a client that XFORWARD described."""
    forwarded = session.forwarded
    attributes = [
        f"log_client_name={forwarded.get('NAME') or 'unknown'}",
        f"log_client_address={forwarded.get('ADDR') or 'unknown'}",
        f"log_client_port={forwarded.get('PORT') or 'unknown'}",
        f"log_message_origin={_forwarded_client(session)}",
    ]
    if forwarded.get("HELO"):
        attributes.append(f"log_helo_name={forwarded['HELO']}")
    protocol = forwarded.get("PROTO")
    if protocol != "":
        attributes.append(f"log_protocol_name={protocol or 'unknown'}")
    return attributes


def _attribute(text: str) -> bytes:
    return encode_record(ATTRIBUTE, text.encode("utf-8", "surrogateescape"))


def add_recipient(session: Session, recipient: str, path: str, found: RcptParameters) -> None:
    """Write the records of one recipient; *path* is what the client called it."""
    assert session.message is not None
    original = found.orcpt
    if not original:
        original = f"rfc822;{path[1:-1] if path.startswith('<') and path.endswith('>') else path}"
    raw = recipient.encode("utf-8", "surrogateescape")
    records = _attribute(f"dsn_orig_rcpt={original}") + encode_record(RECIPIENT, raw)
    if found.notify:
        records = _attribute(f"notify_flags={found.notify}") + records
    session.message.write(records)


async def shown_to_milters(session: Session, milters: SessionMilters) -> str:
    """Tell milters that the content begins, and let cleanup(8) have them; return a reply that refuses, or nothing."""
    refusal = await milters.data()
    if not refusal and session.server.proxy is None and not await milters.pass_on():
        session.blame("resource")
        return _SERVICE_FAILED
    return refusal


def begin_content(session: Session) -> None:
    """Write the end of the envelope and the headers that we add."""
    new = session.message
    assert new is not None
    transaction = session.transaction
    # A filter before the queue of a filter before the queue: the first smtpd has added the header.
    lines = _received(session) if new.queue_id or not session.forwarded else []
    if transaction.prepend:
        lines[0:0] = [line for header in transaction.prepend for line in header.split("\n")]
    records = encode_record(MESSAGE) + b"".join(
        [encode_record(TEXT, line.encode("utf-8", "surrogateescape")) for line in lines]
    )
    if transaction.hold or transaction.discard:
        records = _action_flags(session) + records
    new.write(records)


def _action_flags(session: Session) -> bytes:
    transaction = session.transaction
    bits = (flags.HOLD if transaction.hold else 0) | (flags.DISCARD if transaction.discard else 0)
    return encode_record(FLAGS, b"%d" % bits)


def _received(session: Session) -> list[str]:
    """Return the lines of our Received: header."""
    transaction = session.transaction
    client = session.client
    settings = session.settings
    new = session.message
    assert new is not None
    by = f"by {session.server.hostname} ({settings.mail_name})"
    identity = f" id {new.queue_id}" if new.queue_id else ""
    hidden = settings.smtpd_hide_client_session
    lines = []
    if hidden:
        by = f"Received: {by}{identity}"
    else:
        helo = transaction.helo_name if transaction.helo_name is not None else client.name
        lines.append(f"Received: from {helo} ({client.name} [{client.printed_address}])")
        by = f"\t{by}"
    if settings.smtpd_tls_received_header and transaction.tls is not None and not hidden:
        lines += _encryption_lines(transaction.tls, asked=session.server.encryption.asks)
    if settings.smtpd_sasl_authenticated_header and transaction.sasl_username and not hidden:
        lines.append(f"\t(Authenticated sender: {printable(transaction.sasl_username, utf8=False)})")
    protocol = transaction.protocol
    if session.mail.smtputf8:
        protocol = "UTF8SMTP"
    if transaction.tls is not None and protocol != "SMTP":
        protocol += "S"
    if transaction.sasl_username and protocol != "SMTP":
        protocol += "A"
    if not hidden:
        by += f" with {protocol}{identity}"
    date = mail_date(int(session.arrival))
    if transaction.accepted == 1 and transaction.recipient is not None:
        lines.append(by)
        lines.append(f"\tfor <{internal_to_external(transaction.recipient)}>; {date}")
    else:
        lines.append(f"{by};")
        lines.append(f"\t{date}")
    return lines


def _encryption_lines(tls: TlsFacts, *, asked: bool) -> list[str]:
    """Return what the header says of TLS.  Source: postconf(5) smtpd_tls_received_header."""
    first, *others = tls.description()
    lines = [f"\t(using {first}", *(f"\t {line}" for line in others)]
    lines[-1] += ")"
    certificate = tls.certificate
    if certificate is not None:
        verified = "verified OK" if tls.trusted else "not verified"
        names = f'Client CN "{certificate.common_name}", Issuer "{certificate.issuer_name}"'
        lines.append(f"\t({names} ({verified}))")
    elif asked:
        lines.append("\t(Client did not present a certificate)")
    else:
        lines.append("\t(No client certificate requested)")
    return lines


def end_content(session: Session) -> None:
    """Write the end of the content, what access tables ordered, and the end of the message."""
    new = session.message
    assert new is not None
    transaction = session.transaction
    if transaction.filter or transaction.redirect or transaction.bcc or transaction.hold or transaction.discard:
        new.write(_EXTRACTED + _orders(session) + _END)
    else:
        new.write(_EXTRACTED + _END)


def _orders(session: Session) -> bytes:
    transaction = session.transaction
    records = []
    if transaction.filter:
        records.append(encode_record(FILTER, transaction.filter.encode("utf-8", "surrogateescape")))
    if transaction.redirect:
        records.append(encode_record(REDIRECT, transaction.redirect.encode("utf-8", "surrogateescape")))
    for address in transaction.bcc:
        records.append(encode_record(RECIPIENT, address.encode("utf-8", "surrogateescape")))
        records.append(_attribute(f"notify_flags={_NEVER}"))
    if transaction.hold or transaction.discard:
        records.append(_action_flags(session))
    return b"".join(records)
