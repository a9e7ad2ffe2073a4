"""What this mail system was built with: -a, -A, -l, -m, -T."""

from __future__ import annotations

from pyfix.commands.postconf.messages import print_text, warn

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["FEATURES", "show_tls"]

LOCK_METHODS = ("flock", "fcntl", "dotlock")
SERVER_SASL_TYPES = ("cyrus", "dovecot")
CLIENT_SASL_TYPES = ("cyrus",)
PUBLIC_KEY_ALGORITHMS = ("dsa", "ecdsa", "rsa")


def _table_types() -> Iterable[str]:
    from pyfix.tables.source import TABLE_TYPES

    return sorted(TABLE_TYPES)


FEATURES: dict[str, Callable[[], Iterable[str]]] = {
    "a": lambda: SERVER_SASL_TYPES,
    "A": lambda: CLIENT_SASL_TYPES,
    "l": lambda: LOCK_METHODS,
    "m": _table_types,
}
"""Option letter to the names that it lists."""


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
