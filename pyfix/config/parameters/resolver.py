"""Looking up names in the DNS."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text
from pyfix.config.snapshot import Settings

__all__ = ["ResolverSettings"]


class ResolverSettings(Settings):
    """Looking up names in the DNS."""

    disable_dns_lookups = boolean("no", deprecated='specify "smtp_dns_support_level"')
    """Whether the SMTP client asks the host's own resolver only."""

    dns_ncache_ttl_fix_enable = boolean("no")
    """Whether the life of a negative DNS answer is taken from its SOA record."""

    dnssec_probe = text("ns:.")
    """A query whose answer shows whether the resolver validates DNSSEC; empty: do not ask."""
