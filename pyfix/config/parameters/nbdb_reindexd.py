"""Moving away from Berkeley DB: nbdb_reindexd(8)."""

from __future__ import annotations

from pyfix.config.parameter import words
from pyfix.config.parameters.mail import MailSettings

__all__ = ["ReindexSettings"]


class ReindexSettings(MailSettings):
    """Moving away from Berkeley DB: nbdb_reindexd(8)."""

    non_bdb_migration_allow_root_prefixes = words("/etc /usr/local/etc")
    """Where tables of root may be made anew."""

    non_bdb_migration_allow_user_prefixes = words("$data_directory /var/lib/mailman /var/lib/mailman3")
    """Where tables of other users may be made anew."""
