"""TLS in the SMTP server; tlsproxy(8) and postscreen(8) take their defaults from here."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdTlsSettings"]


class SmtpdTlsSettings(Settings):
    """TLS in the SMTP server; tlsproxy(8) and postscreen(8) take their defaults from here."""

    smtpd_enforce_tls = boolean("no", deprecated='specify "smtpd_tls_security_level"')
    """The old way to say smtpd_tls_security_level = encrypt."""

    smtpd_tls_CAfile = text("", readers="smtpd tlsproxy")
    """A file of certification authorities that client certificates may come from."""

    smtpd_tls_CApath = text("", readers="smtpd tlsproxy")
    """A directory of certification authorities, by hash."""

    smtpd_tls_always_issue_session_ids = boolean("yes", readers="smtpd tlsproxy")
    """Whether sessions have ids even when they can't be resumed."""

    smtpd_tls_ask_ccert = boolean("no", readers="smtpd tlsproxy")
    """Whether clients are asked for a certificate."""

    smtpd_tls_ccert_verifydepth = integer("9", readers="smtpd tlsproxy")
    """How long a client's chain of certificates may be."""

    smtpd_tls_cert_file = text("", readers="smtpd tlsproxy")
    """The server's RSA certificate, with its chain."""

    smtpd_tls_chain_files = words("", readers="smtpd tlsproxy")
    """Files of keys and chains of certificates, in place of the older parameters."""

    smtpd_tls_ciphers = text("medium", minimum=1, readers="smtpd tlsproxy")
    """The least grade of ciphers for optional encryption."""

    smtpd_tls_dcert_file = text("", readers="smtpd tlsproxy")
    """The server's DSA certificate."""

    smtpd_tls_dh1024_param_file = text("", deprecated="do not specify (leave at default)", readers="smtpd tlsproxy")
    """Parameters of the finite-field key exchange."""

    smtpd_tls_dh512_param_file = text("", readers="smtpd tlsproxy")
    """Has no effect any more."""

    smtpd_tls_dkey_file = text("$smtpd_tls_dcert_file", readers="smtpd tlsproxy")
    """The key of the DSA certificate."""

    smtpd_tls_eccert_file = text("", readers="smtpd tlsproxy")
    """The server's ECDSA certificate, with its chain."""

    smtpd_tls_eckey_file = text("$smtpd_tls_eccert_file", readers="smtpd tlsproxy")
    """The key of the ECDSA certificate."""

    smtpd_tls_eecdh_grade = text(
        "auto", minimum=1, deprecated="do not specify (leave at default)", readers="smtpd tlsproxy"
    )
    """The choice of curves: auto, none, strong or ultra."""

    smtpd_tls_enable_rpk = boolean("no", readers="smtpd tlsproxy")
    """Whether clients may show a bare public key (RFC 7250) in place of a certificate."""

    smtpd_tls_exclude_ciphers = text("", readers="smtpd tlsproxy")
    """Ciphers never to use."""

    smtpd_tls_fingerprint_digest = text(
        "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", minimum=1, readers="smtpd tlsproxy"
    )
    """The digest of client certificates' fingerprints."""

    smtpd_tls_key_file = text("$smtpd_tls_cert_file", readers="smtpd tlsproxy")
    """The key of the RSA certificate."""

    smtpd_tls_mandatory_ciphers = text("medium", minimum=1, readers="smtpd tlsproxy")
    """The least grade of ciphers for mandatory encryption."""

    smtpd_tls_mandatory_exclude_ciphers = text("", readers="smtpd tlsproxy")
    """More ciphers not to use with mandatory encryption."""

    smtpd_tls_mandatory_protocols = words(">=TLSv1", readers="smtpd tlsproxy")
    """The TLS versions for mandatory encryption."""

    smtpd_tls_protocols = words(">=TLSv1", readers="smtpd tlsproxy")
    """The TLS versions for optional encryption."""

    smtpd_tls_req_ccert = boolean("no", readers="smtpd tlsproxy")
    """Whether a trusted client certificate is needed; only with mandatory encryption."""

    smtpd_tls_security_level = text("")
    """What the server does about TLS: none, may or encrypt."""

    smtpd_use_tls = boolean("no", deprecated='specify "smtpd_tls_security_level"')
    """The old way to say smtpd_tls_security_level = may."""
