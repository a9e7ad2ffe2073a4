"""Lists of words among the settings of local(8), looked at when it starts.

Source: postconf(5) prepend_delivered_header, allow_mail_to_commands, allow_mail_to_files, mailbox_delivery_lock,
sun_mailtool_compatibility.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.local import LocalSettings
from pyfix.delivery.locks import parse_methods
from pyfix.runtime.log import log

__all__ = ["check_origins", "delivered_headers", "mailbox_locks"]

_HEADERS: Final = ("command", "file", "forward")
_ORIGINS: Final = ("alias", "forward", "include")


def delivered_headers(settings: LocalSettings) -> frozenset[str]:
    """Return where Delivered-To: goes.  Raises ConfigError."""
    return _known(settings, "prepend_delivered_header", settings.prepend_delivered_header, _HEADERS)


def check_origins(settings: LocalSettings) -> None:
    """Check where commands and files may be named.  Raises ConfigError."""
    _known(settings, "allow_mail_to_commands", settings.allow_mail_to_commands, _ORIGINS)
    _known(settings, "allow_mail_to_files", settings.allow_mail_to_files, _ORIGINS)


def mailbox_locks(settings: LocalSettings) -> frozenset[str]:
    """Return how mailboxes are locked.  Raises ConfigError."""
    if settings.sun_mailtool_compatibility:
        log.warning('sun_mailtool_compatibility: deprecated parameter, use "mailbox_delivery_lock = dotlock" instead')
        return frozenset(("dotlock",))
    name = "mailbox_delivery_lock"
    return parse_methods(name, settings.mailbox_delivery_lock, settings.snapshot.value(name))


def _known(settings: LocalSettings, name: str, words: Sequence[str], known: Collection[str]) -> frozenset[str]:
    for word in words:
        if word not in known:
            raise ConfigError(f'unknown {name} value "{word}" in "{settings.snapshot.value(name)}"')
    return frozenset(words)
