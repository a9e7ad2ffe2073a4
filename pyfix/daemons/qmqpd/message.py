"""A message from a QMQP client as records for cleanup(8)."""

from __future__ import annotations

import re
from typing import Final

from pyfix.access.transaction import Client
from pyfix.daemons.qmqpd.packet import Packet
from pyfix.formats.address import internal_to_external
from pyfix.formats.maildate import mail_date
from pyfix.formats.records import (
    END,
    EXTRACTED,
    FILTER,
    MESSAGE,
    RECIPIENT,
    SENDER,
    TIME,
    UNTERMINATED,
    VERP,
    encode_attributes,
    encode_lines,
    encode_record,
)

_PROTOCOL: Final = "QMQP"
_VERP_ENDING: Final = b"-@[]"
_MAILBOX_LINE: Final = re.compile(rb">?From ")


class BadVerp(Exception):
    """The sender asks for delimiters that verp_delimiter_filter does not allow; the text is the reply."""


def split_verp(sender: bytes, allowed: str) -> tuple[bytes, bytes]:
    """Return sender and VERP delimiters of ``owner-@ours-@[]``, as qmail has it; no delimiters for another sender.

    Raises BadVerp.
    """
    if not sender.endswith(_VERP_ENDING):
        return sender, b""
    localpart, at, domain = sender.removesuffix(_VERP_ENDING).partition(b"@")
    if not at or not localpart:
        return sender, b""
    verp = localpart[-1:] + b"="
    if any(chr(byte) not in allowed for byte in verp):
        shown = verp.decode("utf-8", "surrogateescape")
        raise BadVerp(f'Error: Invalid VERP delimiters: "{shown}". Need two characters from "{allowed}"')
    return localpart[:-1] + at + domain, verp


def envelope(packet: Packet, client: Client, arrival: float, content_filter: str, verp_filter: str) -> bytes:
    """Return the records before the content.  Raises BadVerp."""
    sender, verp = split_verp(packet.sender, verp_filter)
    seconds = int(arrival)
    parts = [encode_record(TIME, b"%d %d" % (seconds, int((arrival - seconds) * 1_000_000)))]
    if content_filter:
        parts.append(encode_record(FILTER, content_filter.encode()))
    parts.append(encode_record(SENDER, sender))
    if verp:
        parts.append(encode_record(VERP, verp))
    attributes = [
        f"log_client_name={client.name}",
        f"log_client_address={client.printed_address}",
        f"log_client_port={client.port}",
        f"log_message_origin={client.log_name}",
        f"log_protocol_name={_PROTOCOL}",
        f"client_name={client.name}",
        f"client_address={client.address}",
        f"client_port={client.port}",
        f"client_address_type={client.family}",
        f"protocol_name={_PROTOCOL}",
    ]
    parts.append(encode_attributes(attributes))
    parts += [encode_record(RECIPIENT, recipient) for recipient in packet.recipients]
    return b"".join(parts)


def content(packet: Packet, client: Client, queue_id: str, arrival: float, names: tuple[str, str], limit: int) -> bytes:
    """Return the records of the content, with its Received: header, and of the end.

    *names*: myhostname and mail_name.  *limit*: postconf(5) line_length_limit.
    """
    host, software = names
    when = mail_date(int(arrival))
    received = [f"Received: from {client.name} ({client.name} [{client.printed_address}])"]
    if len(packet.recipients) == 1:
        recipient = internal_to_external(packet.recipients[0].decode("utf-8", "surrogateescape"))
        received += [f"\tby {host} ({software}) with {_PROTOCOL} id {queue_id}", f"\tfor <{recipient}>; {when}"]
    else:
        received += [f"\tby {host} ({software}) with {_PROTOCOL}", f"\tid {queue_id}; {when}"]
    lines = [line.encode("utf-8", "surrogateescape") for line in received]
    *whole, rest = packet.content.split(b"\n")
    for index, line in enumerate(whole):
        if not _MAILBOX_LINE.match(line):
            break
        whole[index] = b"X-Mailbox-Line: " + line
    parts = [encode_record(MESSAGE), encode_lines(lines + whole, limit)]
    while rest:
        parts.append(encode_record(UNTERMINATED, rest[:limit]))
        rest = rest[limit:]
    return b"".join([*parts, encode_record(EXTRACTED), encode_record(END)])
