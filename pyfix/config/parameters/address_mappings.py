"""Rewriting addresses in headers and envelopes: ADDRESS_REWRITING_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, keywords, text, words
from pyfix.config.snapshot import Settings

__all__ = ["AddressMappingSettings"]


class AddressMappingSettings(Settings):
    """Rewriting addresses in headers and envelopes: ADDRESS_REWRITING_README."""

    canonical_maps = words("", readers="cleanup proxymap smtpd")
    """The tables that rewrite addresses in headers and envelopes."""

    disable_verp_bounces = boolean("no", readers="cleanup oqmgr qmgr")
    """Whether bounces of VERP mail have one report for all recipients."""

    empty_address_recipient = text("MAILER-DAEMON", minimum=1, readers="cleanup showq trivial-rewrite")
    """Who gets mail that is addressed to the null address."""

    local_header_rewrite_clients = words("permit_inet_interfaces", readers="smtpd")
    """The clients whose headers are completed with $myorigin and $mydomain."""

    propagate_unmatched_extensions = keywords(
        "canonical, virtual", "canonical virtual alias forward include generic",
        checked_by="cleanup lmtp local smtp", readers="cleanup lmtp local smtp",
    )  # fmt: skip
    """In which tables the extension of the key is added to the result."""

    recipient_canonical_maps = words("", readers="cleanup proxymap smtpd")
    """The tables that rewrite recipients."""

    remote_header_rewrite_domain = text("", readers="cleanup trivial-rewrite")
    """The domain with which headers of other clients are completed; empty: leave them."""

    sender_canonical_maps = words("", readers="cleanup proxymap smtpd")
    """The tables that rewrite senders."""
