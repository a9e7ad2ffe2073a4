"""Rewriting addresses in headers and envelopes: ADDRESS_REWRITING_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text, words
from pyfix.config.snapshot import Settings

__all__ = ["AddressMappingSettings"]


class AddressMappingSettings(Settings):
    """Rewriting addresses in headers and envelopes: ADDRESS_REWRITING_README."""

    canonical_maps = words("")
    disable_verp_bounces = boolean("no")
    empty_address_recipient = text("MAILER-DAEMON", minimum=1)
    local_header_rewrite_clients = words("permit_inet_interfaces")
    propagate_unmatched_extensions = words("canonical, virtual")
    recipient_canonical_maps = words("")
    remote_header_rewrite_domain = text("")
    sender_canonical_maps = words("")
