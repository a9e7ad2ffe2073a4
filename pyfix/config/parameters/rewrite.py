"""Address rewriting and resolving: trivial-rewrite(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings

__all__ = ["RewriteSettings"]


class RewriteSettings(AddressClassSettings, AddressMappingSettings, MailSettings):
    """Address rewriting and resolving: trivial-rewrite(8)."""

    address_verify_default_transport = text("$default_transport", minimum=1)
    address_verify_local_transport = text("$local_transport", minimum=1)
    address_verify_relay_transport = text("$relay_transport", minimum=1)
    address_verify_relayhost = text("$relayhost")
    address_verify_sender_dependent_default_transport_maps = words("$sender_dependent_default_transport_maps")
    address_verify_sender_dependent_relayhost_maps = words("$sender_dependent_relayhost_maps")
    address_verify_transport_maps = words("$transport_maps")
    address_verify_virtual_transport = text("$virtual_transport", minimum=1)
    allow_min_user = boolean("no")
    allow_percent_hack = boolean("yes")
    append_at_myorigin = boolean("yes")
    append_dot_mydomain = boolean("${{$compatibility_level} <level {1} ? {yes} : {no}}")
    default_transport = text("smtp", minimum=1)
    empty_address_default_transport_maps_lookup_key = text("<>", minimum=1)
    empty_address_relayhost_maps_lookup_key = text("<>", minimum=1)
    local_transport = text("local:$myhostname", minimum=1)
    relay_transport = text("relay", minimum=1)
    relocated_prefix_enable = boolean("yes")
    resolve_dequoted_address = boolean("yes")
    resolve_null_domain = boolean("no")
    resolve_numeric_domain = boolean("no")
    sender_dependent_default_transport_maps = words("")
    sender_dependent_relayhost_maps = words("")
    swap_bangpath = boolean("yes")
    virtual_transport = text("virtual", minimum=1)
