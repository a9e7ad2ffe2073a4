"""TLS in the LMTP client."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.parameters.smtp_client_tls import SmtpClientTlsSettings

__all__ = ["LmtpClientTlsSettings"]


class LmtpClientTlsSettings(SmtpClientTlsSettings):
    """TLS in the LMTP client.

    The attributes have the names of the SMTP client's, so that code for both protocols reads one name.
    """

    smtp_enforce_tls = boolean("no", name="lmtp_enforce_tls", deprecated="lmtp_tls_security_level")
    """The old way to say lmtp_tls_security_level = encrypt."""

    smtp_log_tls_feature_status = boolean("yes", name="lmtp_log_tls_feature_status")
    """Whether the log line of a delivery has a summary of its TLS."""

    smtp_requiretls_policy = text("opportunistic", name="lmtp_requiretls_policy")
    """How REQUIRETLS mail is treated by destination."""

    smtp_sasl_tls_security_options = words("$lmtp_sasl_security_options", name="lmtp_sasl_tls_security_options")
    """The mechanisms to leave out, by property, in TLS sessions."""

    smtp_sasl_tls_verified_security_options = words(
        "$lmtp_sasl_tls_security_options", name="lmtp_sasl_tls_verified_security_options"
    )
    """The same with a server whose certificate is verified."""

    smtp_starttls_timeout = duration("300s", name="lmtp_starttls_timeout", minimum=1)
    """Seconds for each read and write of the TLS handshake."""

    smtp_tls_CAfile = text("", name="lmtp_tls_CAfile")
    """A file of certification authorities that server certificates may come from."""

    smtp_tls_CApath = text("", name="lmtp_tls_CApath")
    """A directory of certification authorities, by hash."""

    smtp_tls_block_early_mail_reply = boolean("no", name="lmtp_tls_block_early_mail_reply")
    """Whether a reply that arrives too early after STARTTLS is an error."""

    smtp_tls_cert_file = text("", name="lmtp_tls_cert_file")
    """The client's RSA certificate, with its chain."""

    smtp_tls_chain_files = words("", name="lmtp_tls_chain_files")
    """Files of keys and chains of certificates, in place of the older parameters."""

    smtp_tls_ciphers = text("medium", name="lmtp_tls_ciphers", minimum=1)
    """The least grade of ciphers for optional encryption."""

    smtp_tls_connection_reuse = boolean("no", name="lmtp_tls_connection_reuse")
    """Whether TLS connections are kept for more mail, through tlsproxy(8)."""

    smtp_tls_dcert_file = text("", name="lmtp_tls_dcert_file")
    """The client's DSA certificate."""

    smtp_tls_dkey_file = text("$lmtp_tls_dcert_file", name="lmtp_tls_dkey_file")
    """The key of the DSA certificate."""

    smtp_tls_eccert_file = text("", name="lmtp_tls_eccert_file")
    """The client's ECDSA certificate, with its chain."""

    smtp_tls_eckey_file = text("$lmtp_tls_eccert_file", name="lmtp_tls_eckey_file")
    """The key of the ECDSA certificate."""

    smtp_tls_enable_rpk = boolean("no", name="lmtp_tls_enable_rpk")
    """Whether servers may show a bare public key (RFC 7250) in place of a certificate."""

    smtp_tls_enforce_peername = boolean(
        "yes", name="lmtp_tls_enforce_peername", deprecated='specify "lmtp_tls_security_level"'
    )
    """Whether the certificate's name has to match, with lmtp_enforce_tls."""

    smtp_tls_enforce_sts_mx_patterns = boolean("yes", name="lmtp_tls_enforce_sts_mx_patterns")
    """Whether the MX host has to match the patterns of an MTA-STS policy."""

    smtp_tls_exclude_ciphers = text("", name="lmtp_tls_exclude_ciphers")
    """Ciphers never to use."""

    smtp_tls_fingerprint_cert_match = words("", name="lmtp_tls_fingerprint_cert_match")
    """The fingerprints at level ``fingerprint``."""

    smtp_tls_fingerprint_digest = text(
        "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", name="lmtp_tls_fingerprint_digest", minimum=1
    )
    """The digest of server certificates' fingerprints."""

    smtp_tls_force_insecure_host_tlsa_lookup = boolean("no", name="lmtp_tls_force_insecure_host_tlsa_lookup")
    """Whether DANE records are asked for even when the address is not DNSSEC-signed."""

    smtp_tls_key_file = text("$lmtp_tls_cert_file", name="lmtp_tls_key_file")
    """The key of the RSA certificate."""

    smtp_tls_mandatory_ciphers = text("medium", name="lmtp_tls_mandatory_ciphers", minimum=1)
    """The least grade of ciphers for mandatory encryption."""

    smtp_tls_mandatory_exclude_ciphers = text("", name="lmtp_tls_mandatory_exclude_ciphers")
    """More ciphers not to use with mandatory encryption."""

    smtp_tls_mandatory_protocols = words(">=TLSv1", name="lmtp_tls_mandatory_protocols")
    """The TLS versions for mandatory encryption."""

    smtp_tls_note_starttls_offer = boolean("no", name="lmtp_tls_note_starttls_offer")
    """Whether servers are logged that offer STARTTLS while it is not used."""

    smtp_tls_per_site = words("", name="lmtp_tls_per_site", deprecated='specify "lmtp_tls_policy_maps"')
    """The old form of lmtp_tls_policy_maps."""

    smtp_tls_policy_maps = words("", name="lmtp_tls_policy_maps")
    """The tables from destination to TLS level and attributes."""

    smtp_tls_protocols = words(">=TLSv1", name="lmtp_tls_protocols")
    """The TLS versions for optional encryption."""

    smtp_tls_scert_verifydepth = integer("9", name="lmtp_tls_scert_verifydepth")
    """How long a server's chain of certificates may be."""

    smtp_tls_secure_cert_match = words("nexthop", name="lmtp_tls_secure_cert_match", minimum=1)
    """How a certificate's name is matched at level ``secure``."""

    smtp_tls_security_level = text("", name="lmtp_tls_security_level")
    """The least that is done about TLS: none, may, encrypt, dane, verify, secure and more."""

    smtp_tls_servername = text("", name="lmtp_tls_servername")
    """The name asked for in the handshake (SNI): a name, hostname or nexthop."""

    smtp_tls_trust_anchor_file = text("", name="lmtp_tls_trust_anchor_file")
    """Files of certificates to trust in place of the certification authorities."""

    smtp_tls_verify_cert_match = words("hostname", name="lmtp_tls_verify_cert_match", minimum=1)
    """How a certificate's name is matched at level ``verify``."""

    smtp_tls_wrappermode = boolean("no", name="lmtp_tls_wrappermode")
    """Whether a session begins with TLS, without STARTTLS."""

    smtp_tlsrpt_enable = boolean("no", name="lmtp_tlsrpt_enable")
    """Whether TLS results are reported (RFC 8460)."""

    smtp_tlsrpt_skip_reused_handshakes = boolean("no", name="lmtp_tlsrpt_skip_reused_handshakes")
    """Whether resumed sessions are left out of reports."""

    smtp_tlsrpt_socket_name = text("", name="lmtp_tlsrpt_socket_name")
    """The socket of the program that collects the reports."""

    smtp_use_tls = boolean("no", name="lmtp_use_tls", deprecated='specify "lmtp_tls_security_level"')
    """The old way to say lmtp_tls_security_level = may."""
