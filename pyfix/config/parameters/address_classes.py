"""Whose addresses are whose: ADDRESS_CLASS_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, words
from pyfix.config.snapshot import Settings

__all__ = ["AddressClassSettings"]


class AddressClassSettings(Settings):
    """Whose addresses are whose: ADDRESS_CLASS_README."""

    alias_maps = words("$default_database_type:/etc/aliases")
    local_recipient_maps = words("proxy:unix:passwd.byname $alias_maps")
    relay_recipient_maps = words("")
    relocated_maps = words("")
    show_user_unknown_table_name = boolean("yes")
    transport_maps = words("")
    virtual_alias_domains = words("$virtual_alias_maps")
    virtual_alias_maps = words("$virtual_maps")
    virtual_mailbox_domains = words("$virtual_mailbox_maps")
    virtual_mailbox_maps = words("")
    virtual_maps = words("", deprecated='specify "virtual_alias_maps"', legacy=True)
