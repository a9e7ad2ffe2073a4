"""What every user of TLS reads: TLS_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["TlsSettings"]


class TlsSettings(Settings):
    """What every user of TLS reads: TLS_README."""

    openssl_path = text("openssl", minimum=1)
    tls_append_default_CA = boolean("no")
    tls_config_file = text("default")
    tls_config_name = text("")
    tls_daemon_random_bytes = integer("32", minimum=1)
    tls_dane_digests = words("sha512 sha256", minimum=1)
    tls_disable_workarounds = words("")
    tls_eecdh_auto_curves = text("?X25519MLKEM768:DEFAULT")
    tls_eecdh_strong_curve = text("prime256v1")
    tls_eecdh_ultra_curve = text("secp384r1")
    tls_export_cipherlist = text("")
    tls_fast_shutdown_enable = boolean("yes")
    tls_ffdhe_auto_groups = text("")
    tls_high_cipherlist = text(
        "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH", minimum=1
    )
    tls_low_cipherlist = text("")
    tls_medium_cipherlist = text(
        "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH", minimum=1
    )
    tls_null_cipherlist = text("eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL", minimum=1)
    tls_preempt_cipherlist = boolean("no")
    tls_server_sni_maps = words("")
    tls_session_ticket_cipher = text("aes-256-cbc")
    tls_ssl_options = words("")
    tls_wildcard_matches_multiple_labels = boolean("yes")
    tlsmgr_service_name = text("tlsmgr", minimum=1)
