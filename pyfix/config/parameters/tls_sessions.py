"""Random numbers and session caches: tlsmgr(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration, integer, text
from pyfix.config.snapshot import Settings

__all__ = ["TlsSessionSettings"]


class TlsSessionSettings(Settings):
    """Random numbers and session caches: tlsmgr(8)."""

    lmtp_tls_loglevel = text("0")
    lmtp_tls_session_cache_database = text("")
    lmtp_tls_session_cache_timeout = duration("3600s", maximum=8640000)
    smtp_tls_loglevel = text("0")
    smtp_tls_session_cache_database = text("")
    smtp_tls_session_cache_timeout = duration("3600s", maximum=8640000)
    smtpd_tls_loglevel = text("0")
    smtpd_tls_session_cache_database = text("")
    smtpd_tls_session_cache_timeout = duration("3600s", maximum=8640000)
    tls_random_bytes = integer("32", minimum=1)
    tls_random_exchange_name = text("${data_directory}/prng_exch")
    tls_random_prng_update_period = duration("3600s", minimum=1)
    tls_random_reseed_period = duration("3600s", minimum=1)
    tls_random_source = text("dev:/dev/urandom")
