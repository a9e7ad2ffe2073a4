"""Address rewriting and resolving: trivial-rewrite(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings

__all__ = ["RewriteSettings"]


class RewriteSettings(AddressClassSettings, AddressMappingSettings, MailSettings):
    """Address rewriting and resolving: trivial-rewrite(8)."""

    allow_min_user = boolean("no")
    """Whether a user name may begin with a minus."""

    allow_percent_hack = boolean("yes")
    """Whether user%domain becomes user@domain."""

    append_at_myorigin = boolean("yes")
    """Whether ``user`` becomes user@myorigin."""

    append_dot_mydomain = boolean("${{$compatibility_level} <level {1} ? {yes} : {no}}")
    """Whether user@host becomes user@host.mydomain."""

    default_transport = text("smtp", minimum=1)
    """The transport of all other destinations."""

    empty_address_default_transport_maps_lookup_key = text("<>", minimum=1)
    """What the null sender is in sender_dependent_default_transport_maps."""

    empty_address_relayhost_maps_lookup_key = text("<>", minimum=1)
    """What the null sender is in sender_dependent_relayhost_maps."""

    local_transport = text("local:$myhostname", minimum=1)
    """The transport of mydestination."""

    relay_transport = text("relay", minimum=1)
    """The transport of relay_domains."""

    relocated_prefix_enable = boolean("yes")
    """Whether 5.1.6 and ``user has moved to`` stand before the text of relocated_maps."""

    resolve_dequoted_address = boolean("yes")
    """Whether quotes are taken off before an address is taken apart."""

    resolve_null_domain = boolean("no")
    """Whether ``user@`` is a local address instead of an error."""

    resolve_numeric_domain = boolean("no")
    """Whether user@1.2.3.4 is user@[1.2.3.4] instead of an error."""

    sender_dependent_default_transport_maps = words("")
    """Tables from sender to what default_transport is for that sender."""

    sender_dependent_relayhost_maps = words("")
    """Tables from sender to what relayhost is for that sender."""

    swap_bangpath = boolean("yes")
    """Whether host!user becomes user@host."""

    virtual_transport = text("virtual", minimum=1)
    """The transport of virtual_mailbox_domains."""

    # the defaults of these refer to those above, where a fault is told of first
    address_verify_default_transport = text("$default_transport", minimum=1)
    """What default_transport is for probes."""

    address_verify_local_transport = text("$local_transport", minimum=1)
    """What local_transport is for probes."""

    address_verify_relay_transport = text("$relay_transport", minimum=1)
    """What relay_transport is for probes."""

    address_verify_relayhost = text("$relayhost")
    """What relayhost is for probes."""

    address_verify_sender_dependent_default_transport_maps = words("$sender_dependent_default_transport_maps")
    """What sender_dependent_default_transport_maps are for probes."""

    address_verify_sender_dependent_relayhost_maps = words("$sender_dependent_relayhost_maps")
    """What sender_dependent_relayhost_maps are for probes."""

    address_verify_transport_maps = words("$transport_maps")
    """What transport_maps are for probes."""

    address_verify_virtual_transport = text("$virtual_transport", minimum=1)
    """What virtual_transport is for probes."""
