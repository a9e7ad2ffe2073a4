"""``postfix non-bdb``: from Berkeley DB tables to others.  Source: postfix-non-bdb(1)."""

from __future__ import annotations

from pyfix.commands.postfix.system import System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVELS = ("enable-redirect", "enable-reindex", "disable")
_BERKELEY = {"hash": "default_database_type", "btree": "default_cache_db_type"}
"""Each type of Berkeley DB with the parameter that names the one in its place."""
_OF_COMMANDS = (
    "authorized_flush_users", "authorized_mailq_users", "authorized_submit_users", "local_login_sender_maps",
)  # fmt: skip
"""Tables that programs of ordinary users read, which can't ask nbdb_reindexd(8)."""
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
        for name in _BERKELEY.values():
            value = system.snapshot.value(name)
            if value in _BERKELEY:
                raise system.failure(f"parameter {name} specifies a Berkeley DB type: '{value}'")
    if level == "enable-reindex" and not _make_tables_of_commands(system):
        return 1
    postconf = system.command("postconf")
    main = ["-X", "non_bdb_migration_level"] if level == "disable" else ["-e", f"non_bdb_migration_level={level}"]
    master = ["-Me", _ENTRY] if level == "enable-reindex" else ["-MX", _SERVICE]
    return system.run(postconf, *main) or system.run(postconf, *master)


def _make_tables_of_commands(system: System) -> bool:
    """Make what nobody can ask for later; tell whether that went well."""
    for name in _OF_COMMANDS:
        for word in system.snapshot.value(name).replace(",", " ").split():
            kind, _, path = word.partition(":")
            if kind in _BERKELEY and path:
                system.info(f"Proactively reindexing {word}")
                if system.run(system.command("postmap"), f"{system.snapshot.value(_BERKELEY[kind])}:{path}") != 0:
                    return False
    return True
