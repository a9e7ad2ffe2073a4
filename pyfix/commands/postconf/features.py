"""What this mail system was built with: -a, -A, -l, -m, -T."""

from __future__ import annotations

import os

from pyfix.commands.postconf.messages import print_text, warn

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyfix.config.snapshot import Snapshot

__all__ = ["FEATURES", "show_tls", "table_types"]

LOCK_METHODS = ("flock", "fcntl", "dotlock")
SERVER_SASL_TYPES = ("cyrus", "dovecot")
CLIENT_SASL_TYPES = ("cyrus",)
PUBLIC_KEY_ALGORITHMS = ("dsa", "ecdsa", "rsa")


FEATURES: dict[str, Callable[[], Iterable[str]]] = {
    "a": lambda: SERVER_SASL_TYPES,
    "A": lambda: CLIENT_SASL_TYPES,
    "l": lambda: LOCK_METHODS,
}
"""Option letter to the names that it lists."""


def table_types(snapshot: Snapshot) -> list[str]:
    """Return the types of lookup tables, with those of dynamicmaps.cf.  Raises ConfigError."""
    from pyfix.config.dynamicmaps import plugins, uses_plugins
    from pyfix.tables.source import TABLE_TYPES

    found = set(TABLE_TYPES)
    if uses_plugins(snapshot):
        found |= plugins(snapshot, warn).libraries.keys()
    return sorted(found, key=os.fsencode)


def show_tls(mode: str) -> int:
    """Print what ``-T mode`` asks for and return the exit status."""
    match mode:
        case "compile-version" | "run-version":
            from cryptography.hazmat.backends.openssl import backend

            print_text(f"{backend.openssl_version_text()}\n")
        case "public-key-algorithms":
            print_text("".join(f"{name}\n" for name in PUBLIC_KEY_ALGORITHMS))
        case _:
            warn(f"unknown 'postconf -T' mode: {mode}")
            return 1
    return 0
