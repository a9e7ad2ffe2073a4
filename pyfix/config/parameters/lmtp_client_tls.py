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
    smtp_log_tls_feature_status = boolean("yes", name="lmtp_log_tls_feature_status")
    smtp_requiretls_policy = text("opportunistic", name="lmtp_requiretls_policy")
    smtp_sasl_tls_security_options = words("$lmtp_sasl_security_options", name="lmtp_sasl_tls_security_options")
    smtp_sasl_tls_verified_security_options = words(
        "$lmtp_sasl_tls_security_options", name="lmtp_sasl_tls_verified_security_options"
    )
    smtp_starttls_timeout = duration("300s", name="lmtp_starttls_timeout", minimum=1)
    smtp_tls_CAfile = text("", name="lmtp_tls_CAfile")
    smtp_tls_CApath = text("", name="lmtp_tls_CApath")
    smtp_tls_block_early_mail_reply = boolean("no", name="lmtp_tls_block_early_mail_reply")
    smtp_tls_cert_file = text("", name="lmtp_tls_cert_file")
    smtp_tls_chain_files = words("", name="lmtp_tls_chain_files")
    smtp_tls_ciphers = text("medium", name="lmtp_tls_ciphers", minimum=1)
    smtp_tls_connection_reuse = boolean("no", name="lmtp_tls_connection_reuse")
    smtp_tls_dcert_file = text("", name="lmtp_tls_dcert_file")
    smtp_tls_dkey_file = text("$lmtp_tls_dcert_file", name="lmtp_tls_dkey_file")
    smtp_tls_eccert_file = text("", name="lmtp_tls_eccert_file")
    smtp_tls_eckey_file = text("$lmtp_tls_eccert_file", name="lmtp_tls_eckey_file")
    smtp_tls_enable_rpk = boolean("no", name="lmtp_tls_enable_rpk")
    smtp_tls_enforce_peername = boolean(
        "yes", name="lmtp_tls_enforce_peername", deprecated='specify "lmtp_tls_security_level"'
    )
    smtp_tls_enforce_sts_mx_patterns = boolean("yes", name="lmtp_tls_enforce_sts_mx_patterns")
    smtp_tls_exclude_ciphers = text("", name="lmtp_tls_exclude_ciphers")
    smtp_tls_fingerprint_cert_match = words("", name="lmtp_tls_fingerprint_cert_match")
    smtp_tls_fingerprint_digest = text(
        "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", name="lmtp_tls_fingerprint_digest", minimum=1
    )
    smtp_tls_force_insecure_host_tlsa_lookup = boolean("no", name="lmtp_tls_force_insecure_host_tlsa_lookup")
    smtp_tls_key_file = text("$lmtp_tls_cert_file", name="lmtp_tls_key_file")
    smtp_tls_mandatory_ciphers = text("medium", name="lmtp_tls_mandatory_ciphers", minimum=1)
    smtp_tls_mandatory_exclude_ciphers = text("", name="lmtp_tls_mandatory_exclude_ciphers")
    smtp_tls_mandatory_protocols = words(">=TLSv1", name="lmtp_tls_mandatory_protocols")
    smtp_tls_note_starttls_offer = boolean("no", name="lmtp_tls_note_starttls_offer")
    smtp_tls_per_site = words("", name="lmtp_tls_per_site", deprecated='specify "lmtp_tls_policy_maps"')
    smtp_tls_policy_maps = words("", name="lmtp_tls_policy_maps")
    smtp_tls_protocols = words(">=TLSv1", name="lmtp_tls_protocols")
    smtp_tls_scert_verifydepth = integer("9", name="lmtp_tls_scert_verifydepth")
    smtp_tls_secure_cert_match = words("nexthop", name="lmtp_tls_secure_cert_match", minimum=1)
    smtp_tls_security_level = text("", name="lmtp_tls_security_level")
    smtp_tls_servername = text("", name="lmtp_tls_servername")
    smtp_tls_trust_anchor_file = text("", name="lmtp_tls_trust_anchor_file")
    smtp_tls_verify_cert_match = words("hostname", name="lmtp_tls_verify_cert_match", minimum=1)
    smtp_tls_wrappermode = boolean("no", name="lmtp_tls_wrappermode")
    smtp_tlsrpt_enable = boolean("no", name="lmtp_tlsrpt_enable")
    smtp_tlsrpt_skip_reused_handshakes = boolean("no", name="lmtp_tlsrpt_skip_reused_handshakes")
    smtp_tlsrpt_socket_name = text("", name="lmtp_tlsrpt_socket_name")
    smtp_use_tls = boolean("no", name="lmtp_use_tls", deprecated='specify "lmtp_tls_security_level"')
