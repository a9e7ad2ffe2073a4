"""``$name`` of the recipient in forward_path, luser_relay and command_execution_directory, and what commands see.

Source: local(8); postconf(5) forward_path, luser_relay, command_execution_directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyfix.daemons.local.step import Step
from pyfix.daemons.local.users import User
from pyfix.formats.macros import expand
from pyfix.protocols.internal.delivery import DeliveryRequest

__all__ = ["Expanded", "censored", "environment", "expand_text"]

_OF_RECIPIENT: Final = {
    "LOGNAME": "user", "USER": "user", "RECIPIENT": "recipient", "LOCAL": "local", "DOMAIN": "domain",
    "EXTENSION": "extension", "HOME": "home", "SHELL": "shell",
}  # fmt: skip
"""Variables of commands, and which of our names they stand for."""
_OF_REQUEST: Final = {
    "CLIENT_HOSTNAME": "client_name", "CLIENT_ADDRESS": "client_address", "CLIENT_HELO": "helo_name",
    "CLIENT_PROTOCOL": "protocol_name", "SASL_METHOD": "sasl_method", "SASL_SENDER": "sasl_sender",
    "SASL_USERNAME": "sasl_username", "ENVID": "envelope_id",
}  # fmt: skip
"""The same, and which attributes of the request they stand for."""


class Expanded(str):
    """A text with the values in it."""

    __slots__ = ("incomplete", "names")

    incomplete: bool
    """A name that has no value was used."""

    names: frozenset[str]
    """The names that had a value and were used."""


def _value(name: str, step: Step, user: User | None) -> str | None:
    """Return the value of *name*, None where it has none."""
    match name:
        case "user":
            return step.user
        case "local":
            return step.local
        case "domain":
            return step.domain
        case "recipient":
            return step.address
        case "extension":
            return step.extension
        case "recipient_delimiter":
            return None if step.extension is None else step.local[len(step.user) :][:1]
        case "home" if user is not None:
            return user.home
        case "shell" if user is not None:
            return user.shell
    return None


def expand_text(text: str, step: Step, user: User | None, *, allowed: str = "") -> Expanded:
    """Return *text* with the values of the recipient; what is not among *allowed* characters becomes an underscore.

    Raises MacroError.
    """
    names: set[str] = set()
    lacking: set[str] = set()

    def look_up(name: str, test: bool) -> str | None:
        value = _value(name, step, user)
        if not test:
            (lacking if value is None else names).add(name)
        return _censored(value, allowed) if value and allowed else value

    expanded = Expanded(expand(text, look_up))
    expanded.names = frozenset(names)
    expanded.incomplete = bool(lacking)
    return expanded


def environment(step: Step, user: User | None, request: DeliveryRequest) -> dict[str, str]:
    """Return the variables that a command of this recipient sees; those without a value are left out.

    Source: local(8), EXTERNAL COMMAND DELIVERY.
    """
    found = {variable: _value(name, step, user) for variable, name in _OF_RECIPIENT.items()}
    found |= {variable: str(getattr(request, name)) for variable, name in _OF_REQUEST.items()}
    found["ORIGINAL_RECIPIENT"] = step.recipient.original_recipient
    return {variable: value for variable, value in found.items() if value} | {"SENDER": step.sender}


def censored(variables: Mapping[str, str], allowed: str) -> dict[str, str]:
    """Return the variables with an underscore for each character of their values that is not among *allowed*."""
    return {name: _censored(value, allowed) for name, value in variables.items()}


def _censored(value: str, allowed: str) -> str:
    return "".join([character if character in allowed else "_" for character in value])
