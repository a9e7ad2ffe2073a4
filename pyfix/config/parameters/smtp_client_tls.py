"""TLS in the SMTP client."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpClientTlsSettings"]


class SmtpClientTlsSettings(Settings):
    """TLS in the SMTP client."""

    smtp_enforce_tls = boolean("no", deprecated='specify "smtp_tls_security_level"')
    smtp_log_tls_feature_status = boolean("yes")
    smtp_requiretls_policy = text(
        "inline:{{${domain_to_ascii{$mydomain}}=opportunistic}, "
        "{.${domain_to_ascii{$mydomain}}=opportunistic}, {localhost=opportunistic}}, cidr:{{0.0.0.0/0 "
        "opportunistic}, {::/0 opportunistic}}, enforce"
    )
    smtp_sasl_tls_security_options = words("$smtp_sasl_security_options")
    smtp_sasl_tls_verified_security_options = words("$smtp_sasl_tls_security_options")
    smtp_starttls_timeout = duration("300s", minimum=1)
    smtp_tls_CAfile = text("")
    smtp_tls_CApath = text("")
    smtp_tls_block_early_mail_reply = boolean("no")
    smtp_tls_cert_file = text("")
    smtp_tls_chain_files = words("")
    smtp_tls_ciphers = text("medium", minimum=1)
    smtp_tls_connection_reuse = boolean("no")
    smtp_tls_dane_insecure_mx_policy = text("dane")
    smtp_tls_dcert_file = text("")
    smtp_tls_dkey_file = text("$smtp_tls_dcert_file")
    smtp_tls_eccert_file = text("")
    smtp_tls_eckey_file = text("$smtp_tls_eccert_file")
    smtp_tls_enable_rpk = boolean("no")
    smtp_tls_enforce_peername = boolean("yes", deprecated='specify "smtp_tls_security_level"')
    smtp_tls_enforce_sts_mx_patterns = boolean("yes")
    smtp_tls_exclude_ciphers = text("")
    smtp_tls_fingerprint_cert_match = words("")
    smtp_tls_fingerprint_digest = text("${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", minimum=1)
    smtp_tls_force_insecure_host_tlsa_lookup = boolean("no")
    smtp_tls_key_file = text("$smtp_tls_cert_file")
    smtp_tls_mandatory_ciphers = text("medium", minimum=1)
    smtp_tls_mandatory_exclude_ciphers = text("")
    smtp_tls_mandatory_protocols = words(">=TLSv1")
    smtp_tls_note_starttls_offer = boolean("no")
    smtp_tls_per_site = words("", deprecated='specify "smtp_tls_policy_maps"')
    smtp_tls_policy_maps = words("")
    smtp_tls_protocols = words(">=TLSv1")
    smtp_tls_scert_verifydepth = integer("9")
    smtp_tls_secure_cert_match = words("nexthop, dot-nexthop", minimum=1)
    smtp_tls_security_level = text("${{$compatibility_level} <level {3.11} ? {} : {may}}")
    smtp_tls_servername = text("")
    smtp_tls_trust_anchor_file = text("")
    smtp_tls_verify_cert_match = words("hostname", minimum=1)
    smtp_tls_wrappermode = boolean("no")
    smtp_tlsrpt_enable = boolean("no")
    smtp_tlsrpt_skip_reused_handshakes = boolean("no")
    smtp_tlsrpt_socket_name = text("")
    smtp_use_tls = boolean("no", deprecated='specify "smtp_tls_security_level"')
