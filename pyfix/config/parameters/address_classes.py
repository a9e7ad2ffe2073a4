"""Whose addresses are whose: ADDRESS_CLASS_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, words
from pyfix.config.snapshot import Settings

__all__ = ["AddressClassSettings"]


class AddressClassSettings(Settings):
    """Whose addresses are whose: ADDRESS_CLASS_README."""

    alias_maps = words("$default_database_type:/etc/aliases", readers="local proxymap smtpd")
    """The tables of local(8) aliases."""

    local_recipient_maps = words("proxy:unix:passwd.byname $alias_maps", readers="proxymap smtpd")
    """The tables of existing local recipients; empty: take any."""

    relay_recipient_maps = words("", readers="proxymap smtpd")
    """The tables of existing recipients in relay_domains; empty: take any."""

    relocated_maps = words("", readers="proxymap trivial-rewrite")
    """The tables of users who have moved, with where to."""

    show_user_unknown_table_name = boolean("yes", readers="smtpd trivial-rewrite")
    """Whether a rejection says in which table the recipient is missing."""

    transport_maps = words("", readers="proxymap trivial-rewrite")
    """The tables from address or domain to transport and next hop."""

    virtual_alias_domains = words("$virtual_alias_maps", readers="proxymap trivial-rewrite")
    """The domains all of whose addresses are aliases of addresses elsewhere."""

    virtual_alias_maps = words("$virtual_maps", readers="cleanup proxymap smtpd trivial-rewrite")
    """The tables from an address to the addresses that get its mail."""

    virtual_mailbox_domains = words("$virtual_mailbox_maps", readers="proxymap trivial-rewrite")
    """The domains that virtual(8) delivers, or what virtual_transport names."""

    virtual_mailbox_maps = words("", readers="proxymap smtpd trivial-rewrite virtual")
    """The tables from an address to its mailbox below virtual_mailbox_base."""

    virtual_maps = words("", deprecated='specify "virtual_alias_maps"', legacy=True)
    """The old name of virtual_alias_maps."""
