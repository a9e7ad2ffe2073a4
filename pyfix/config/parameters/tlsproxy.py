"""TLS for postscreen(8) and the SMTP client: tlsproxy(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.smtp_client_tls import SmtpClientTlsSettings
from pyfix.config.parameters.smtpd_tls import SmtpdTlsSettings
from pyfix.config.parameters.tls import TlsSettings
from pyfix.config.parameters.tls_sessions import TlsSessionSettings

__all__ = ["TlsproxySettings"]


class TlsproxySettings(SmtpdTlsSettings, SmtpClientTlsSettings, TlsSettings, TlsSessionSettings, MailSettings):
    """TLS for postscreen(8) and the SMTP client: tlsproxy(8)."""

    tlsproxy_client_CAfile = text("$smtp_tls_CAfile")
    tlsproxy_client_CApath = text("$smtp_tls_CApath")
    tlsproxy_client_cert_file = text("$smtp_tls_cert_file")
    tlsproxy_client_chain_files = words("$smtp_tls_chain_files")
    tlsproxy_client_dcert_file = text("$smtp_tls_dcert_file")
    tlsproxy_client_dkey_file = text("$smtp_tls_dkey_file")
    tlsproxy_client_eccert_file = text("$smtp_tls_eccert_file")
    tlsproxy_client_eckey_file = text("$smtp_tls_eckey_file")
    tlsproxy_client_enforce_tls = boolean("$smtp_enforce_tls", deprecated='specify "tlsproxy_client_security_level"')
    tlsproxy_client_fingerprint_digest = text("$smtp_tls_fingerprint_digest", minimum=1)
    tlsproxy_client_key_file = text("$smtp_tls_key_file")
    tlsproxy_client_level = text("", deprecated='specify "tlsproxy_client_security_level"', legacy=True)
    """The old name of tlsproxy_client_security_level."""
    tlsproxy_client_loglevel = text("$smtp_tls_loglevel")
    tlsproxy_client_loglevel_parameter = text("smtp_tls_loglevel")
    tlsproxy_client_per_site = words("$smtp_tls_per_site", deprecated='specify "tlsproxy_client_policy_maps"')
    tlsproxy_client_policy = text("", deprecated='specify "tlsproxy_client_policy_maps"', legacy=True)
    """The old name of tlsproxy_client_policy_maps."""
    tlsproxy_client_policy_maps = words("${tlsproxy_client_policy?{$tlsproxy_client_policy}:{$smtp_tls_policy_maps}}")
    tlsproxy_client_scert_verifydepth = integer("$smtp_tls_scert_verifydepth")
    tlsproxy_client_security_level = text(
        "${tlsproxy_client_level?{$tlsproxy_client_level}:{$smtp_tls_security_level}}"
    )
    tlsproxy_client_use_tls = boolean("$smtp_use_tls", deprecated='specify "tlsproxy_client_security_level"')
    tlsproxy_enforce_tls = boolean("$smtpd_enforce_tls", deprecated='specify "tlsproxy_tls_security_level"')
    tlsproxy_tls_CAfile = text("$smtpd_tls_CAfile")
    tlsproxy_tls_CApath = text("$smtpd_tls_CApath")
    tlsproxy_tls_always_issue_session_ids = boolean("$smtpd_tls_always_issue_session_ids")
    tlsproxy_tls_ask_ccert = boolean("$smtpd_tls_ask_ccert")
    tlsproxy_tls_ccert_verifydepth = integer("$smtpd_tls_ccert_verifydepth")
    tlsproxy_tls_cert_file = text("$smtpd_tls_cert_file")
    tlsproxy_tls_chain_files = words("$smtpd_tls_chain_files")
    tlsproxy_tls_ciphers = text("$smtpd_tls_ciphers", minimum=1)
    tlsproxy_tls_dcert_file = text("$smtpd_tls_dcert_file")
    tlsproxy_tls_dh1024_param_file = text("$smtpd_tls_dh1024_param_file")
    tlsproxy_tls_dh512_param_file = text("$smtpd_tls_dh512_param_file")
    tlsproxy_tls_dkey_file = text("$smtpd_tls_dkey_file")
    tlsproxy_tls_eccert_file = text("$smtpd_tls_eccert_file")
    tlsproxy_tls_eckey_file = text("$smtpd_tls_eckey_file")
    tlsproxy_tls_eecdh_grade = text("$smtpd_tls_eecdh_grade", minimum=1)
    tlsproxy_tls_enable_rpk = boolean("$smtpd_tls_enable_rpk")
    tlsproxy_tls_exclude_ciphers = text("$smtpd_tls_exclude_ciphers")
    tlsproxy_tls_fingerprint_digest = text("$smtpd_tls_fingerprint_digest", minimum=1)
    tlsproxy_tls_key_file = text("$smtpd_tls_key_file")
    tlsproxy_tls_loglevel = text("$smtpd_tls_loglevel")
    tlsproxy_tls_mandatory_ciphers = text("$smtpd_tls_mandatory_ciphers", minimum=1)
    tlsproxy_tls_mandatory_exclude_ciphers = text("$smtpd_tls_mandatory_exclude_ciphers")
    tlsproxy_tls_mandatory_protocols = words("$smtpd_tls_mandatory_protocols")
    tlsproxy_tls_protocols = words("$smtpd_tls_protocols")
    tlsproxy_tls_req_ccert = boolean("$smtpd_tls_req_ccert")
    tlsproxy_tls_security_level = text("$smtpd_tls_security_level")
    tlsproxy_use_tls = boolean("$smtpd_use_tls", deprecated='specify "tlsproxy_tls_security_level"')
    tlsproxy_watchdog_timeout = duration("10s", minimum=10)
