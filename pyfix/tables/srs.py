"""Rewritten senders (SRS) by the keys and settings of one main.cf: mail to one of them is for whoever was rewritten.

Source: postsrsd(8) for the file of keys.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.sender_rewriting import SenderRewritingSettings
from pyfix.formats.srs import SEPARATORS, BadRewrittenAddress, SenderRewritingScheme, is_rewritten
from pyfix.runtime.log import log

__all__ = ["RewrittenSenders", "open_rewritten_senders"]

_SECONDS_OF_A_DAY: Final = 86400
_MOST_PACKED: Final = 3
"""Times that one address is unpacked: our own mail may have come by us more than once."""


class RewrittenSenders:
    """Makes rewritten senders of today, and recognises those of the last days."""

    def __init__(self, domain: str, scheme: SenderRewritingScheme) -> None:
        self.domain: Final = domain
        self._folded: Final = domain.lower()
        self._scheme: Final = scheme

    def pack(self, sender: str) -> str:
        """Return the address of ours that stands for *sender* (internal form), which has a domain."""
        return self._scheme.pack(sender, self.domain, _today())

    def unpack(self, address: str) -> str | None:
        """Return the address (internal form) that *address* stands for; None if it has not the form of one of ours.

        Raises BadRewrittenAddress.
        """
        localpart, _, domain = address.rpartition("@")
        if domain.lower() != self._folded or not is_rewritten(localpart):
            return None
        return self._scheme.unpack(localpart, _today())

    def unpack_all(self, address: str, refused: Callable[[str], object]) -> str:
        """Return whom *address* stands for in the end, and any other address as it is; *refused* hears of a bad one."""
        for _ in range(_MOST_PACKED):
            try:
                found = self.unpack(address)
            except BadRewrittenAddress as reason:
                refused(f"{reason}: {address}")
                break
            if found is None:
                break
            address = found
        return address


def open_rewritten_senders(settings: SenderRewritingSettings) -> RewrittenSenders | None:
    """Read the keys; None where pyfix_srs_domain names no domain.

    To be called with root's rights, who alone may be able to read them.  Raises ConfigError.
    """
    domain = settings.pyfix_srs_domain
    if not domain:
        return None
    separator = settings.pyfix_srs_separator
    if separator not in SEPARATORS:
        raise ConfigError(f'bad pyfix_srs_separator value "{separator}": specify one of {" ".join(SEPARATORS)}')
    scheme = SenderRewritingScheme(
        _keys(settings.pyfix_srs_key_file), separator, settings.pyfix_srs_hash_length, settings.pyfix_srs_maximum_age
    )
    return RewrittenSenders(domain, scheme)


def _keys(path: str) -> tuple[bytes, ...]:
    if not path:
        raise ConfigError("pyfix_srs_domain requires pyfix_srs_key_file")
    try:
        with open(path, "rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            lines = stream.read().splitlines()
    except OSError as error:
        raise ConfigError(f"pyfix_srs_key_file: cannot read {path}: {error.strerror}") from error
    if mode & stat.S_IROTH:
        log.warning(f"pyfix_srs_key_file: everybody may read {path}, and sign addresses as we do")
    keys = tuple(line for line in lines if line)
    if not keys:
        raise ConfigError(f"pyfix_srs_key_file: there is no key in {path}")
    return keys


def _today() -> int:
    return int(time.time()) // _SECONDS_OF_A_DAY
