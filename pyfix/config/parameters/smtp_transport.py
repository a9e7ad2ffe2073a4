"""What the SMTP and the LMTP client read under one name."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpTransportSettings"]


class SmtpTransportSettings(Settings):
    """What the SMTP and the LMTP client read under one name."""

    allow_srv_lookup_fallback = boolean("no")
    best_mx_transport = text("")
    connection_cache_protocol_timeout = duration("5s", minimum=1)
    connection_cache_service_name = text("scache", minimum=1)
    cyrus_sasl_config_path = text("")
    ignore_srv_lookup_error = boolean("no")
    lmtp_assume_final = boolean("no")
    tlsproxy_service_name = text("tlsproxy", minimum=1)
    use_srv_lookup = words("")
