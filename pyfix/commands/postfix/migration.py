"""``postfix non-bdb``: from Berkeley DB tables to others.  Source: postfix-non-bdb(1)."""

from __future__ import annotations

from pyfix.commands.postfix.system import System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVELS = ("enable-redirect", "enable-reindex", "disable")
_BERKELEY = ("hash", "btree")
_SERVICE = "nbdb_reindex/unix"
_ENTRY = f"{_SERVICE}=nbdb_reindex unix y n n - 1 nbdb_reindexd"


def non_bdb(system: System, words: Sequence[str]) -> int:
    """Tell or change the level of migration support; return the exit status.  Raises Failure."""
    if len(words) != 1 or words[0] not in ("status", *_LEVELS):
        raise system.failure("usage: postfix non-bdb status (or enable-redirect, or enable-reindex, or disable)")
    level = words[0]
    if level == "status":
        print(system.settings.non_bdb_migration_level)
        return 0
    if level != "disable":
        for name in ("default_database_type", "default_cache_db_type"):
            value = system.snapshot.value(name)
            if value in _BERKELEY:
                raise system.failure(f"parameter {name} specifies a Berkeley DB type: '{value}'")
    postconf = system.command("postconf")
    main = ["-X", "non_bdb_migration_level"] if level == "disable" else ["-e", f"non_bdb_migration_level={level}"]
    master = ["-Me", _ENTRY] if level == "enable-reindex" else ["-MX", _SERVICE]
    return system.run(postconf, *main) or system.run(postconf, *master)
