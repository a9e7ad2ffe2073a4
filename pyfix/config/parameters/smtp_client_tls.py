"""TLS in the SMTP client."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpClientTlsSettings"]


class SmtpClientTlsSettings(Settings):
    """TLS in the SMTP client."""

    smtp_enforce_tls = boolean("no", deprecated='specify "smtp_tls_security_level"')
    """The old way to say smtp_tls_security_level = encrypt."""

    smtp_log_tls_feature_status = boolean("yes", readers="smtp")
    """Whether the log line of a delivery has a summary of its TLS."""

    smtp_requiretls_policy = text(
        "inline:{{${domain_to_ascii{$mydomain}}=opportunistic}, "
        "{.${domain_to_ascii{$mydomain}}=opportunistic}, {localhost=opportunistic}}, cidr:{{0.0.0.0/0 "
        "opportunistic}, {::/0 opportunistic}}, enforce",
        readers="smtp",
    )
    """How REQUIRETLS mail is treated by destination."""

    smtp_sasl_tls_security_options = words("$smtp_sasl_security_options", readers="smtp")
    """The mechanisms to leave out, by property, in TLS sessions."""

    smtp_sasl_tls_verified_security_options = words("$smtp_sasl_tls_security_options", readers="smtp")
    """The same with a server whose certificate is verified."""

    smtp_starttls_timeout = duration("300s", minimum=1, readers="smtp")
    """Seconds for each read and write of the TLS handshake."""

    smtp_tls_CAfile = text("")
    """A file of certification authorities that server certificates may come from."""

    smtp_tls_CApath = text("")
    """A directory of certification authorities, by hash."""

    smtp_tls_block_early_mail_reply = boolean("no", readers="smtp")
    """Whether a reply that arrives too early after STARTTLS is an error."""

    smtp_tls_cert_file = text("")
    """The client's RSA certificate, with its chain."""

    smtp_tls_chain_files = words("")
    """Files of keys and chains of certificates, in place of the older parameters."""

    smtp_tls_ciphers = text("medium", minimum=1, readers="smtp")
    """The least grade of ciphers for optional encryption."""

    smtp_tls_connection_reuse = boolean("no", readers="smtp")
    """Whether TLS connections are kept for more mail, through tlsproxy(8)."""

    smtp_tls_dane_insecure_mx_policy = text("dane", readers="smtp")
    """The level for MX hosts with DANE records of a domain without DNSSEC."""

    smtp_tls_dcert_file = text("")
    """The client's DSA certificate."""

    smtp_tls_dkey_file = text("$smtp_tls_dcert_file")
    """The key of the DSA certificate."""

    smtp_tls_eccert_file = text("")
    """The client's ECDSA certificate, with its chain."""

    smtp_tls_eckey_file = text("$smtp_tls_eccert_file")
    """The key of the ECDSA certificate."""

    smtp_tls_enable_rpk = boolean("no", readers="smtp")
    """Whether servers may show a bare public key (RFC 7250) in place of a certificate."""

    smtp_tls_enforce_peername = boolean("yes", deprecated='specify "smtp_tls_security_level"', readers="smtp")
    """Whether the certificate's name has to match, with smtp_enforce_tls."""

    smtp_tls_enforce_sts_mx_patterns = boolean("yes", readers="smtp")
    """Whether the MX host has to match the patterns of an MTA-STS policy."""

    smtp_tls_exclude_ciphers = text("", readers="smtp")
    """Ciphers never to use."""

    smtp_tls_fingerprint_cert_match = words("", readers="smtp")
    """The fingerprints at level ``fingerprint``."""

    smtp_tls_fingerprint_digest = text(
        "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", minimum=1, readers="posttls-finger smtp tlsproxy"
    )
    """The digest of server certificates' fingerprints."""

    smtp_tls_force_insecure_host_tlsa_lookup = boolean("no", readers="smtp")
    """Whether DANE records are asked for even when the address is not DNSSEC-signed."""

    smtp_tls_key_file = text("$smtp_tls_cert_file")
    """The key of the RSA certificate."""

    smtp_tls_mandatory_ciphers = text("medium", minimum=1, readers="smtp")
    """The least grade of ciphers for mandatory encryption."""

    smtp_tls_mandatory_exclude_ciphers = text("", readers="smtp")
    """More ciphers not to use with mandatory encryption."""

    smtp_tls_mandatory_protocols = words(">=TLSv1", readers="smtp")
    """The TLS versions for mandatory encryption."""

    smtp_tls_note_starttls_offer = boolean("no", readers="smtp")
    """Whether servers are logged that offer STARTTLS while it is not used."""

    smtp_tls_per_site = words("", deprecated='specify "smtp_tls_policy_maps"')
    """The old form of smtp_tls_policy_maps."""

    smtp_tls_policy_maps = words("")
    """The tables from destination to TLS level and attributes."""

    smtp_tls_protocols = words(">=TLSv1", readers="smtp")
    """The TLS versions for optional encryption."""

    smtp_tls_scert_verifydepth = integer("9")
    """How long a server's chain of certificates may be."""

    smtp_tls_secure_cert_match = words("nexthop, dot-nexthop", minimum=1, readers="smtp")
    """How a certificate's name is matched at level ``secure``."""

    smtp_tls_security_level = text("${{$compatibility_level} <level {3.11} ? {} : {may}}")
    """The least that is done about TLS: none, may, encrypt, dane, verify, secure and more."""

    smtp_tls_servername = text("", readers="smtp")
    """The name asked for in the handshake (SNI): a name, hostname or nexthop."""

    smtp_tls_trust_anchor_file = text("", readers="smtp")
    """Files of certificates to trust in place of the certification authorities."""

    smtp_tls_verify_cert_match = words("hostname", minimum=1, readers="smtp")
    """How a certificate's name is matched at level ``verify``."""

    smtp_tls_wrappermode = boolean("no", readers="smtp")
    """Whether a session begins with TLS, without STARTTLS."""

    smtp_tlsrpt_enable = boolean("no", readers="smtp")
    """Whether TLS results are reported (RFC 8460)."""

    smtp_tlsrpt_skip_reused_handshakes = boolean("no", readers="smtp")
    """Whether resumed sessions are left out of reports."""

    smtp_tlsrpt_socket_name = text("", readers="smtp")
    """The socket of the program that collects the reports."""

    smtp_use_tls = boolean("no", deprecated='specify "smtp_tls_security_level"')
    """The old way to say smtp_tls_security_level = may."""
