"""Which milters there are, and how each is to be talked to.

Source: MILTER_README; postconf(5) smtpd_milters, non_smtpd_milters, milter_connect_timeout and its relatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameter import parse_duration, split_words
from pyfix.config.parameters.milter import MilterSettings

__all__ = ["MilterSpec", "parse_milters"]

_DURATIONS: Final = ("connect_timeout", "command_timeout", "content_timeout")
_TEXTS: Final = {"default_action": "default_action", "protocol": "protocol"}


@dataclass(frozen=True, slots=True)
class MilterSpec:
    """One milter."""

    name: str
    """Where it listens, which is also what warnings call it."""
    connect_timeout: float
    """Seconds for connecting and agreeing on options."""
    command_timeout: float
    """Seconds for the answer to a command of the envelope."""
    content_timeout: float
    """Seconds for the answer to a piece of the content."""
    default_action: str
    protocol: str


def parse_milters(words: Sequence[str], settings: MilterSettings) -> tuple[MilterSpec, ...]:
    """Read a list of milters, each an endpoint, or ``{ endpoint, name=value... }``.  Raises ConfigError."""
    standard = MilterSpec(
        "",
        settings.milter_connect_timeout,
        settings.milter_command_timeout,
        settings.milter_content_timeout,
        settings.milter_default_action,
        settings.milter_protocol,
    )
    return tuple([_parse(word, standard) for word in words])


def _parse(word: str, standard: MilterSpec) -> MilterSpec:
    if not word.startswith("{"):
        return replace(standard, name=word)
    if not word.endswith("}"):
        raise ConfigError(f"milter service syntax error: missing '}}' in \"{word}\"")
    parts = split_words(word[1:-1])
    if not parts:
        raise ConfigError(f'empty milter definition: "{word}"')
    changes: dict[str, Any] = {"name": parts[0]}
    for part in parts[1:]:
        text = part[1:-1].strip() if part.startswith("{") and part.endswith("}") else part
        name, equals, value = (piece.strip() for piece in text.partition("="))
        if not equals:
            raise ConfigError(f"malformed option: missing '=' after attribute name: \"...{text}...\"")
        if name in _DURATIONS:
            changes[name] = parse_duration(name, value, "s")
        elif name in _TEXTS:
            changes[name] = value
        else:
            raise ConfigError(f"bad milter attribute: {text}")
    return replace(standard, **changes)
