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
    """What smtp_tls_CAfile is for tlsproxy(8)."""

    tlsproxy_client_CApath = text("$smtp_tls_CApath")
    """What smtp_tls_CApath is for tlsproxy(8)."""

    tlsproxy_client_cert_file = text("$smtp_tls_cert_file")
    """What smtp_tls_cert_file is for tlsproxy(8)."""

    tlsproxy_client_chain_files = words("$smtp_tls_chain_files")
    """What smtp_tls_chain_files is for tlsproxy(8)."""

    tlsproxy_client_dcert_file = text("$smtp_tls_dcert_file")
    """What smtp_tls_dcert_file is for tlsproxy(8)."""

    tlsproxy_client_dkey_file = text("$smtp_tls_dkey_file")
    """What smtp_tls_dkey_file is for tlsproxy(8)."""

    tlsproxy_client_eccert_file = text("$smtp_tls_eccert_file")
    """What smtp_tls_eccert_file is for tlsproxy(8)."""

    tlsproxy_client_eckey_file = text("$smtp_tls_eckey_file")
    """What smtp_tls_eckey_file is for tlsproxy(8)."""

    tlsproxy_client_enforce_tls = boolean("$smtp_enforce_tls", deprecated='specify "tlsproxy_client_security_level"')
    """What smtp_enforce_tls is for tlsproxy(8)."""

    tlsproxy_client_fingerprint_digest = text("$smtp_tls_fingerprint_digest", minimum=1)
    """What smtp_tls_fingerprint_digest is for tlsproxy(8)."""

    tlsproxy_client_key_file = text("$smtp_tls_key_file")
    """What smtp_tls_key_file is for tlsproxy(8)."""

    tlsproxy_client_level = text("", deprecated='specify "tlsproxy_client_security_level"', legacy=True)
    """What smtp_tls_level is for tlsproxy(8)."""

    tlsproxy_client_loglevel = text("$smtp_tls_loglevel")
    """What smtp_tls_loglevel is for tlsproxy(8)."""

    tlsproxy_client_loglevel_parameter = text("smtp_tls_loglevel")
    """The name of the parameter that the client's log level comes from."""

    tlsproxy_client_per_site = words("$smtp_tls_per_site", deprecated='specify "tlsproxy_client_policy_maps"')
    """What smtp_tls_per_site is for tlsproxy(8)."""

    tlsproxy_client_policy = text("", deprecated='specify "tlsproxy_client_policy_maps"', legacy=True)
    """What smtp_tls_policy is for tlsproxy(8)."""

    tlsproxy_client_policy_maps = words("${tlsproxy_client_policy?{$tlsproxy_client_policy}:{$smtp_tls_policy_maps}}")
    """What smtp_tls_policy_maps are for tlsproxy(8)."""

    tlsproxy_client_scert_verifydepth = integer("$smtp_tls_scert_verifydepth")
    """What smtp_tls_scert_verifydepth is for tlsproxy(8)."""

    tlsproxy_client_security_level = text(
        "${tlsproxy_client_level?{$tlsproxy_client_level}:{$smtp_tls_security_level}}"
    )
    """What smtp_tls_security_level is for tlsproxy(8)."""

    tlsproxy_client_use_tls = boolean("$smtp_use_tls", deprecated='specify "tlsproxy_client_security_level"')
    """What smtp_use_tls is for tlsproxy(8)."""

    tlsproxy_enforce_tls = boolean("$smtpd_enforce_tls", deprecated='specify "tlsproxy_tls_security_level"')
    """What smtpd_enforce_tls is for tlsproxy(8)."""

    tlsproxy_tls_CAfile = text("$smtpd_tls_CAfile")
    """What smtpd_tls_CAfile is for tlsproxy(8)."""

    tlsproxy_tls_CApath = text("$smtpd_tls_CApath")
    """What smtpd_tls_CApath is for tlsproxy(8)."""

    tlsproxy_tls_always_issue_session_ids = boolean("$smtpd_tls_always_issue_session_ids")
    """What smtpd_tls_always_issue_session_ids is for tlsproxy(8)."""

    tlsproxy_tls_ask_ccert = boolean("$smtpd_tls_ask_ccert")
    """What smtpd_tls_ask_ccert is for tlsproxy(8)."""

    tlsproxy_tls_ccert_verifydepth = integer("$smtpd_tls_ccert_verifydepth")
    """What smtpd_tls_ccert_verifydepth is for tlsproxy(8)."""

    tlsproxy_tls_cert_file = text("$smtpd_tls_cert_file")
    """What smtpd_tls_cert_file is for tlsproxy(8)."""

    tlsproxy_tls_chain_files = words("$smtpd_tls_chain_files")
    """What smtpd_tls_chain_files is for tlsproxy(8)."""

    tlsproxy_tls_ciphers = text("$smtpd_tls_ciphers", minimum=1)
    """What smtpd_tls_ciphers is for tlsproxy(8)."""

    tlsproxy_tls_dcert_file = text("$smtpd_tls_dcert_file")
    """What smtpd_tls_dcert_file is for tlsproxy(8)."""

    tlsproxy_tls_dh1024_param_file = text("$smtpd_tls_dh1024_param_file")
    """What smtpd_tls_dh1024_param_file is for tlsproxy(8)."""

    tlsproxy_tls_dh512_param_file = text("$smtpd_tls_dh512_param_file")
    """What smtpd_tls_dh512_param_file is for tlsproxy(8)."""

    tlsproxy_tls_dkey_file = text("$smtpd_tls_dkey_file")
    """What smtpd_tls_dkey_file is for tlsproxy(8)."""

    tlsproxy_tls_eccert_file = text("$smtpd_tls_eccert_file")
    """What smtpd_tls_eccert_file is for tlsproxy(8)."""

    tlsproxy_tls_eckey_file = text("$smtpd_tls_eckey_file")
    """What smtpd_tls_eckey_file is for tlsproxy(8)."""

    tlsproxy_tls_eecdh_grade = text("$smtpd_tls_eecdh_grade", minimum=1)
    """What smtpd_tls_eecdh_grade is for tlsproxy(8)."""

    tlsproxy_tls_enable_rpk = boolean("$smtpd_tls_enable_rpk")
    """What smtpd_tls_enable_rpk is for tlsproxy(8)."""

    tlsproxy_tls_exclude_ciphers = text("$smtpd_tls_exclude_ciphers")
    """What smtpd_tls_exclude_ciphers is for tlsproxy(8)."""

    tlsproxy_tls_fingerprint_digest = text("$smtpd_tls_fingerprint_digest", minimum=1)
    """What smtpd_tls_fingerprint_digest is for tlsproxy(8)."""

    tlsproxy_tls_key_file = text("$smtpd_tls_key_file")
    """What smtpd_tls_key_file is for tlsproxy(8)."""

    tlsproxy_tls_loglevel = text("$smtpd_tls_loglevel")
    """What smtpd_tls_loglevel is for tlsproxy(8)."""

    tlsproxy_tls_mandatory_ciphers = text("$smtpd_tls_mandatory_ciphers", minimum=1)
    """What smtpd_tls_mandatory_ciphers is for tlsproxy(8)."""

    tlsproxy_tls_mandatory_exclude_ciphers = text("$smtpd_tls_mandatory_exclude_ciphers")
    """What smtpd_tls_mandatory_exclude_ciphers is for tlsproxy(8)."""

    tlsproxy_tls_mandatory_protocols = words("$smtpd_tls_mandatory_protocols")
    """What smtpd_tls_mandatory_protocols is for tlsproxy(8)."""

    tlsproxy_tls_protocols = words("$smtpd_tls_protocols")
    """What smtpd_tls_protocols is for tlsproxy(8)."""

    tlsproxy_tls_req_ccert = boolean("$smtpd_tls_req_ccert")
    """What smtpd_tls_req_ccert is for tlsproxy(8)."""

    tlsproxy_tls_security_level = text("$smtpd_tls_security_level")
    """What smtpd_tls_security_level is for tlsproxy(8)."""

    tlsproxy_use_tls = boolean("$smtpd_use_tls", deprecated='specify "tlsproxy_tls_security_level"')
    """What smtpd_use_tls is for tlsproxy(8)."""

    tlsproxy_watchdog_timeout = duration("10s", minimum=10)
    """What daemon_timeout is for tlsproxy(8)."""
