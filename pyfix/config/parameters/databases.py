"""Lookup tables and what stands behind them."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, longinteger, text, words
from pyfix.config.snapshot import Settings

__all__ = ["DatabaseSettings"]


class DatabaseSettings(Settings):
    """Lookup tables and what stands behind them."""

    alias_database = words("$default_database_type:/etc/aliases")
    """The tables that newaliases(1) builds."""

    berkeley_db_create_buffer_size = integer("16777216", minimum=1)
    """Bytes of memory for building a hash or btree table."""

    berkeley_db_read_buffer_size = integer("131072", minimum=1)
    """Bytes of memory for reading a hash or btree table."""

    daemon_table_open_error_is_fatal = boolean("no")
    """Whether a daemon ends when a table can't be opened, instead of deferring what needs it."""

    default_cache_db_type = text("btree", minimum=1)
    """The table type of caches that are named without one."""

    default_database_type = text("hash", minimum=1)
    """The table type that postmap(1) and postalias(1) build unless told."""

    lmdb_map_size = longinteger("16777216", minimum=1)
    """First size in bytes of an LMDB file; it grows by itself."""

    non_bdb_custom_mapping = words("")
    """What takes the place of Berkeley DB table types while moving away from them."""

    non_bdb_migration_level = text("disable", minimum=1)
    """How far the move away from Berkeley DB goes: disable, enable-redirect or enable-reindex."""

    non_bdb_migration_log_redirect = boolean("yes")
    """Whether each redirected table is logged."""

    pyfix_python_tables = words("", own=True)
    """The functions, as module:function, that tables of type python may call; none by default."""

    pyfix_rebuild_stale_tables = text("no", own=True)
    """Whether a program that opens an indexed table which is older than its source file makes it anew first."""

    socketmap_max_reply_size = integer("100000", minimum=1)
    """Bytes of a socketmap server's reply."""
