"""Which defaults are in use only because compatibility_level is low.

Source: COMPATIBILITY_README; postconf(5) compatibility_level.
"""

from __future__ import annotations

from pyfix.config.errors import ConfigError
from pyfix.formats.macros import MacroError, compare_levels

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.config.snapshot import Snapshot

__all__ = ["flushes_by_old_default", "is_old_default", "old_default_text"]


def is_old_default(snapshot: Snapshot, name: str, new_level: str) -> bool:
    """Whether *name* is not set and the level is one before *new_level*, with which its default changed.

    Raises MacroError for a malformed level.
    """
    if snapshot.raw(name) is not None:
        return False
    return compare_levels(snapshot.value("compatibility_level"), new_level) < 0


def flushes_by_old_default(snapshot: Snapshot) -> bool:
    """Whether flush(8) keeps logs for mydestination because of the old default of relay_domains."""
    try:
        return snapshot.raw("fast_flush_domains") is None and is_old_default(snapshot, "relay_domains", "2")
    except (ConfigError, MacroError):
        return False  # which a program has told of when it started


def old_default_text(what: str) -> str:
    """Return the line that tells of an old default: *what* is the default and what it is used for."""
    return f"using backwards-compatible default setting {what}"
