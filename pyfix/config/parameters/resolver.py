"""Looking up names in the DNS."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text
from pyfix.config.snapshot import Settings

__all__ = ["ResolverSettings"]


class ResolverSettings(Settings):
    """Looking up names in the DNS."""

    disable_dns_lookups = boolean("no", deprecated='specify "smtp_dns_support_level"')
    dns_ncache_ttl_fix_enable = boolean("no")
    dnssec_probe = text("ns:.")
