"""The flags of a service in master.cf: headers that are put before a message, loops, and whether delivery is final.

Source: smtp(8), flags=DORX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.daemons.smtp.courier import Courier
from pyfix.daemons.smtp.failure import Failure
from pyfix.delivery.commandinput import CommandInput
from pyfix.delivery.loops import delivered_addresses
from pyfix.protocols.internal.delivery import DeliveryRequest, Recipient
from pyfix.runtime.log import log

_ATTRIBUTE: Final = "flags="
_KNOWN: Final = frozenset("DORX")
_FOR_ONE: Final = "DO"
"""Flags that name the recipient, of whom there must be only one."""
_CONFIGURATION: Final = Failure("4.3.5", "mail system configuration error")


class ServiceFlags:
    """What ``flags=`` asks for."""

    def __init__(self, flags: frozenset[str], service: str) -> None:
        """*service*: its name in master.cf."""
        self._flags: Final = flags
        self._service: Final = service
        self._headers: Final = CommandInput(
            return_path="R" in flags, original_to="O" in flags, delivered_to="D" in flags
        )
        self.is_final: Final = "X" in flags
        """Who takes the message by LMTP has it delivered (X), as with lmtp_assume_final."""

    def headers(self, request: DeliveryRequest, recipient: Recipient) -> bytes:
        """Return the lines to put before the message, each with a newline."""
        return self._headers.prefix(request.sender, recipient.original_recipient, recipient.recipient)

    async def admits(self, courier: Courier) -> bool:
        """Report who can't be delivered to; tell whether anybody is left."""
        courier.relay = self._service
        for flag in _FOR_ONE:
            if flag in self._flags and len(courier.left) > 1:
                log.warning(f"flag `{flag}' requires {self._service}_destination_recipient_limit = 1")
                await courier.give_up_on(range(len(courier.left)), _CONFIGURATION)
                break
        if "D" in self._flags and (seen := delivered_addresses(courier.delivery)):
            for index, recipient in enumerate(courier.left):
                if recipient is not None and recipient.recipient.lower() in seen:
                    loop = Failure("5.4.6", f"mail forwarding loop for {recipient.recipient}")
                    await courier.give_up_on((index,), loop)
        courier.leave()
        return not courier.done


def read_flags(words: Sequence[str], service: str) -> ServiceFlags | None:
    """Return what the arguments of a service say, None when they say nothing.  Raises ConfigError."""
    flags: set[str] = set()
    for word in words:
        if word[: len(_ATTRIBUTE)].lower() != _ATTRIBUTE:
            raise ConfigError(f"unknown attribute name: {word}")
        value = word[len(_ATTRIBUTE) :]
        for flag in value:
            if flag not in _KNOWN:
                raise ConfigError(f'unknown {_ATTRIBUTE}{value} value "{flag}" in "{value}"')
        flags.update(value)
    return ServiceFlags(frozenset(flags), service) if flags else None
