"""A Cyrus SASL application's configuration: ``smtpd.conf``.

Source: Cyrus SASL, "Options" (options.html) and its description of configuration files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["BadConfiguration", "CyrusConfiguration", "parse_configuration"]

_OPTION: Final = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)", re.DOTALL)


class BadConfiguration(Exception):
    """A line is not ``name: value``."""


def parse_configuration(text: str) -> dict[str, str]:
    """Return the options.  Raises BadConfiguration."""
    options: dict[str, str] = {}
    for line in text.split("\n"):
        stripped = line.strip(" \t\r\v\f")
        if not stripped or stripped.startswith("#"):
            continue
        parts = _OPTION.fullmatch(stripped)
        if parts is None:
            raise BadConfiguration(stripped)
        options.setdefault(parts[1].lower(), parts[2])
    return options


@dataclass(frozen=True, slots=True)
class CyrusConfiguration:
    """What the options say that matter to a server."""

    verifiers: tuple[str, ...]
    """pwcheck_method: who checks passwords, the first one first."""
    mechanisms: tuple[str, ...]
    """mech_list, in capitals; empty: all that there are."""
    saslauthd_path: str
    """The socket of saslauthd(8)."""
    sasldb_path: str

    @classmethod
    def of(cls, options: Mapping[str, str]) -> CyrusConfiguration:
        """Read the options, with their defaults."""
        return cls(
            verifiers=tuple(options.get("pwcheck_method", "auxprop").split()),
            mechanisms=tuple(options.get("mech_list", "").upper().split()),
            saslauthd_path=options.get("saslauthd_path", "/var/run/saslauthd/mux"),
            sasldb_path=options.get("sasldb_path", "/etc/sasldb2"),
        )
