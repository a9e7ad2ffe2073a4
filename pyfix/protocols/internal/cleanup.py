"""public/cleanup: bring a new message.

The server speaks first, with the queue id of the file that it has just made; the client answers with flags, sends the
message as queue-file records up to an E record, and gets a status.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyfix.formats.attributes import Attributes, encode_pairs

PROTOCOL: Final = "cleanup_protocol"
NEXT_MESSAGE: Final = encode_pairs([("pyfix_request", "next_message")])
"""Follows the E record of a client that would like another queue id, for a message that may never come.

Only pyfix's smtpd(8) says so.  pyfix's cleanup(8) answers with the queue id, after the status of a message that was
accepted; Postfix's does not look at what follows a message, and closes the connection.
"""

# Bits of Flags.flags.
BOUNCE: Final = 1
"""Return a message that can't be accepted to its sender, instead of reporting the error."""
FILTER: Final = 2
"""Let header_checks and body_checks look at the message."""
HOLD: Final = 4
"""Put the message on hold."""
DISCARD: Final = 8
"""Accept the message and drop it."""
BCC_OK: Final = 16
"""Add the recipients of always_bcc and the like."""
MAP_OK: Final = 32
"""Rewrite addresses by canonical_maps, virtual_alias_maps and masquerade_domains."""
MILTER: Final = 64
"""Let milters see the message."""
SMTP_REPLY: Final = 128
"""The reason is a whole SMTP reply."""
SMTPUTF8: Final = 256
"""The client asked for SMTPUTF8."""
AUTO_UTF8: Final = 512
"""Find out whether the message needs SMTPUTF8."""
REQUIRE_TLS: Final = 1024
"""The client asked for REQUIRETLS (3.11)."""


@dataclass(frozen=True, slots=True)
class Flags(Attributes):
    """What the client says before the records."""

    flags: int


@dataclass(frozen=True, slots=True)
class Status(Attributes):
    """The answer: bits of pyfix.formats.status (0: the message is safe in the queue), and a text for some of them."""

    status: int
    reason: str
