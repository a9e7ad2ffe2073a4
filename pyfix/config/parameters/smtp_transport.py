"""What the SMTP and the LMTP client read under one name."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpTransportSettings"]


class SmtpTransportSettings(Settings):
    """What the SMTP and the LMTP client read under one name."""

    allow_srv_lookup_fallback = boolean("no", readers="lmtp smtp")
    """Whether MX records are asked for when SRV records are not found."""

    best_mx_transport = text("", readers="lmtp smtp")
    """The transport of mail that we are the best MX host for; empty: a loop error."""

    connection_cache_protocol_timeout = duration("5s", minimum=1, readers="lmtp smtp")
    """Seconds for talking to scache(8)."""

    connection_cache_service_name = text("scache", minimum=1, readers="lmtp smtp")
    """The name of scache(8)'s service."""

    cyrus_sasl_config_path = text("", readers="lmtp smtp smtpd")
    """Where the Cyrus SASL library finds its settings."""

    ignore_srv_lookup_error = boolean("no", readers="lmtp smtp")
    """Whether a failed SRV lookup is treated as no answer."""

    lmtp_assume_final = boolean("no", readers="lmtp smtp")
    """Whether a delivery by LMTP counts as final."""

    tlsproxy_service_name = text("tlsproxy", minimum=1, readers="lmtp postscreen smtp")
    """The name of tlsproxy(8)'s service."""

    use_srv_lookup = words("", readers="lmtp smtp")
    """The services for which SRV records are looked up."""
