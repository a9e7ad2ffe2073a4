"""What every user of TLS reads: TLS_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["TlsSettings"]


class TlsSettings(Settings):
    """What every user of TLS reads: TLS_README."""

    read_later = True  # when TLS is set up

    openssl_path = text("openssl", minimum=1, readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The openssl command, for ``postfix tls``."""

    tls_append_default_CA = boolean("no", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """Whether the system's certification authorities are trusted next to the configured ones."""

    tls_config_file = text("default", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """OpenSSL's configuration file: default, none or a path."""

    tls_config_name = text("", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The application name in OpenSSL's configuration file."""

    tls_daemon_random_bytes = integer("32", minimum=1, readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """Bytes of randomness that a daemon asks of tlsmgr(8)."""

    tls_dane_digests = words("sha512 sha256", minimum=1, readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The digests of DANE records that are accepted, best first."""

    tls_disable_workarounds = words("", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """OpenSSL's bug workarounds to switch off."""

    tls_eecdh_auto_curves = text("?X25519MLKEM768:DEFAULT", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The key exchange groups offered, best first."""

    tls_eecdh_strong_curve = text("prime256v1", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The curve of the setting ``strong``."""

    tls_eecdh_ultra_curve = text("secp384r1", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The curve of the setting ``ultra``."""

    tls_export_cipherlist = text("", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The OpenSSL cipher list of grade export, which is that of medium now."""

    tls_fast_shutdown_enable = boolean("yes", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """Whether a TLS session ends without waiting for the peer's goodbye."""

    tls_ffdhe_auto_groups = text("", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The finite-field groups offered."""

    tls_high_cipherlist = text(
        "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH",
        minimum=1,
        readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy",
    )
    """The OpenSSL cipher list of grade high."""

    tls_low_cipherlist = text("", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The OpenSSL cipher list of grade low, which is that of medium now."""

    tls_medium_cipherlist = text(
        "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH",
        minimum=1,
        readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy",
    )
    """The OpenSSL cipher list of grade medium."""

    tls_null_cipherlist = text(
        "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL", minimum=1, readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy"
    )
    """The OpenSSL cipher list of grade null: authentication without encryption."""

    tls_preempt_cipherlist = boolean("no", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """Whether the server's order of ciphers wins over the client's."""

    tls_server_sni_maps = words("", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The tables from a name asked for to its key and certificates."""

    tls_session_ticket_cipher = text("aes-256-cbc", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The cipher of session tickets; empty: no tickets."""

    tls_ssl_options = words("", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """Further OpenSSL options, by name or number."""

    tls_wildcard_matches_multiple_labels = boolean("yes", readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """Whether ``*.example.com`` also matches a.b.example.com."""

    tlsmgr_service_name = text("tlsmgr", minimum=1, readers="lmtp posttls-finger smtp smtpd tlsmgr tlsproxy")
    """The name of tlsmgr(8)'s service."""
