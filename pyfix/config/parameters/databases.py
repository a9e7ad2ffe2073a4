"""Lookup tables and what stands behind them."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, longinteger, text, words
from pyfix.config.snapshot import Settings

__all__ = ["DatabaseSettings"]


class DatabaseSettings(Settings):
    """Lookup tables and what stands behind them."""

    alias_database = words("$default_database_type:/etc/aliases")
    berkeley_db_create_buffer_size = integer("16777216", minimum=1)
    berkeley_db_read_buffer_size = integer("131072", minimum=1)
    daemon_table_open_error_is_fatal = boolean("no")
    default_cache_db_type = text("btree", minimum=1)
    default_database_type = text("hash", minimum=1)
    lmdb_map_size = longinteger("16777216", minimum=1)
    non_bdb_custom_mapping = words("")
    non_bdb_migration_level = text("disable", minimum=1)
    non_bdb_migration_log_redirect = boolean("yes")
    socketmap_max_reply_size = integer("100000", minimum=1)
