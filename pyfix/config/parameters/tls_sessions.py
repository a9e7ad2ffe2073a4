"""Random numbers and session caches: tlsmgr(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration, integer, text
from pyfix.config.snapshot import Settings

__all__ = ["TlsSessionSettings"]


class TlsSessionSettings(Settings):
    """Random numbers and session caches: tlsmgr(8)."""

    lmtp_tls_loglevel = text("0", readers="lmtp tlsmgr")
    """How much the LMTP client logs about TLS, 0 to 4."""

    lmtp_tls_session_cache_database = text("", readers="tlsmgr")
    """The table of the LMTP client's TLS sessions; empty: in memory only."""

    lmtp_tls_session_cache_timeout = duration("3600s", maximum=8640000, readers="tlsmgr")
    """Seconds that a TLS session of the LMTP client is kept."""

    smtp_tls_loglevel = text("0", readers="smtp tlsmgr tlsproxy")
    """How much the SMTP client logs about TLS, 0 to 4."""

    smtp_tls_session_cache_database = text("", readers="tlsmgr")
    """The table of the SMTP client's TLS sessions; empty: in memory only."""

    smtp_tls_session_cache_timeout = duration("3600s", maximum=8640000, readers="tlsmgr")
    """Seconds that a TLS session of the SMTP client is kept."""

    smtpd_tls_loglevel = text("0", readers="smtpd tlsmgr tlsproxy")
    """How much the SMTP server logs about TLS, 0 to 4."""

    smtpd_tls_session_cache_database = text("", readers="tlsmgr")
    """The table of the SMTP server's TLS sessions; empty: session tickets only."""

    smtpd_tls_session_cache_timeout = duration("3600s", maximum=8640000, readers="tlsmgr")
    """Seconds that a TLS session of the SMTP server is kept."""

    tls_random_bytes = integer("32", minimum=1, readers="tlsmgr")
    """Bytes that tlsmgr(8) reads from tls_random_source at a time."""

    tls_random_exchange_name = text("${data_directory}/prng_exch", readers="tlsmgr")
    """Where the state of the random generator is kept between runs."""

    tls_random_prng_update_period = duration("3600s", minimum=1, readers="tlsmgr")
    """Seconds between two savings of that state."""

    tls_random_reseed_period = duration("3600s", minimum=1, readers="tlsmgr")
    """Seconds at most between two readings of tls_random_source."""

    tls_random_source = text("dev:/dev/urandom", readers="tlsmgr")
    """Where randomness comes from: dev:path or egd:path."""
