"""The arguments of a command for one message: macros, once or for each recipient.

Source: pipe(8), argv=, flags hqu.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from pyfix.daemons.pipe.attributes import CommandAttributes
from pyfix.formats.address import internal_to_external
from pyfix.formats.extension import split_extension
from pyfix.protocols.internal.delivery import DeliveryRequest, Recipient

_OF_RECIPIENT: Final = frozenset(("recipient", "original_recipient", "user", "extension", "mailbox", "domain"))
_OF_MESSAGE: Final = frozenset((
    "sender", "nexthop", "size", "client_address", "client_helo", "client_hostname", "client_port",
    "client_protocol", "sasl_method", "sasl_username", "sasl_sender", "queue_id", "envid",
))  # fmt: skip

_MACRO: Final = re.compile(r"\$(?:\$|\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}|\(([^()]*)\)|(\w+))", re.ASCII)


class BadArguments(Exception):
    """The arguments cannot be made; the text is for the log."""


class CommandArguments:
    """The arguments of one service."""

    def __init__(self, attributes: CommandAttributes, delimiters: str, where: str) -> None:
        """*delimiters* is postconf(5) recipient_delimiter; *where* names the service in complaints."""
        self._words = attributes.arguments
        self._null_sender = attributes.null_sender
        self._delimiters = delimiters
        self._where = where
        flags = attributes.flags
        self._folds_domain, self._folds_user, self._quotes = "h" in flags, "u" in flags, "q" in flags

    def of(self, request: DeliveryRequest, recipients: Sequence[Recipient]) -> list[str]:
        """Return the arguments for a request.  Raises BadArguments."""
        values = self._message_values(request)
        by_recipient: list[Mapping[str, str]] = []
        result: list[str] = []
        for word in self._words:
            if not self._names_a_recipient(word):
                result.append(_expanded(word, values))
                continue
            if not by_recipient:
                by_recipient = [values | self._recipient_values(recipient) for recipient in recipients]
            result += [_expanded(word, of_one) for of_one in by_recipient]
        return result

    def _names_a_recipient(self, word: str) -> bool:
        rest = _MACRO.sub("", word)
        if "$" in rest:
            fault = "truncated macro reference" if rest[rest.index("$") + 1 :][:1] in ("{", "(") else "empty macro name"
            raise BadArguments(f'{fault}: "{word}"')
        found = False
        for match in _MACRO.finditer(word):
            name = _name(match)
            if match[0] in ("${}", "$()"):
                raise BadArguments(f'empty macro name: "{word}"')
            if name in _OF_RECIPIENT:
                found = True
            elif name and name not in _OF_MESSAGE:
                raise BadArguments(f'{self._where}: unknown macro name: "{name}"')
        return found

    def _message_values(self, request: DeliveryRequest) -> dict[str, str]:
        sender = request.sender or self._null_sender
        return {
            "sender": self._quoted(sender) if sender else "",
            "nexthop": request.nexthop.lower() if self._folds_domain else request.nexthop,
            "size": str(request.size),
            "client_address": request.client_address,
            "client_helo": request.helo_name,
            "client_hostname": request.client_name,
            "client_port": request.client_port,
            "client_protocol": request.protocol_name,
            "sasl_method": request.sasl_method,
            "sasl_username": request.sasl_username,
            "sasl_sender": request.sasl_sender,
            "queue_id": request.queue_id,
            "envid": request.envelope_id,
        }

    def _recipient_values(self, recipient: Recipient) -> dict[str, str]:
        address = self._folded(recipient.recipient)
        mailbox, at, domain = address.rpartition("@")
        if not at:
            raise BadArguments(f"no @ in recipient address: {recipient.recipient}")
        user, extension = split_extension(mailbox, self._delimiters)
        return {
            "recipient": self._quoted(address),
            "original_recipient": self._quoted(self._folded(recipient.original_recipient)),
            "user": user,
            "extension": extension or "",
            "mailbox": mailbox,
            "domain": domain,
        }

    def _folded(self, address: str) -> str:
        localpart, at, domain = address.rpartition("@")
        if not at:
            return address.lower() if self._folds_user else address
        if self._folds_user:
            localpart = localpart.lower()
        return f"{localpart}@{domain.lower() if self._folds_domain else domain}"

    def _quoted(self, address: str) -> str:
        return internal_to_external(address) if self._quotes else address


def _name(match: re.Match[str]) -> str:
    return match[1] or match[2] or match[3] or ""


def _expanded(word: str, values: Mapping[str, str]) -> str:
    """Replace the macros of *word*; here they have no conditions."""
    return _MACRO.sub(lambda match: values[_name(match)] if _name(match) else "$", word)
