"""TLS in the SMTP server; tlsproxy(8) and postscreen(8) take their defaults from here."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdTlsSettings"]


class SmtpdTlsSettings(Settings):
    """TLS in the SMTP server; tlsproxy(8) and postscreen(8) take their defaults from here."""

    smtpd_enforce_tls = boolean("no", deprecated='specify "smtpd_tls_security_level"')
    smtpd_tls_CAfile = text("")
    smtpd_tls_CApath = text("")
    smtpd_tls_always_issue_session_ids = boolean("yes")
    smtpd_tls_ask_ccert = boolean("no")
    smtpd_tls_ccert_verifydepth = integer("9")
    smtpd_tls_cert_file = text("")
    smtpd_tls_chain_files = words("")
    smtpd_tls_ciphers = text("medium", minimum=1)
    smtpd_tls_dcert_file = text("")
    smtpd_tls_dh1024_param_file = text("", deprecated="do not specify (leave at default)")
    smtpd_tls_dh512_param_file = text("")
    smtpd_tls_dkey_file = text("$smtpd_tls_dcert_file")
    smtpd_tls_eccert_file = text("")
    smtpd_tls_eckey_file = text("$smtpd_tls_eccert_file")
    smtpd_tls_eecdh_grade = text("auto", minimum=1, deprecated="do not specify (leave at default)")
    smtpd_tls_enable_rpk = boolean("no")
    smtpd_tls_exclude_ciphers = text("")
    smtpd_tls_fingerprint_digest = text("${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", minimum=1)
    smtpd_tls_key_file = text("$smtpd_tls_cert_file")
    smtpd_tls_mandatory_ciphers = text("medium", minimum=1)
    smtpd_tls_mandatory_exclude_ciphers = text("")
    smtpd_tls_mandatory_protocols = words(">=TLSv1")
    smtpd_tls_protocols = words(">=TLSv1")
    smtpd_tls_req_ccert = boolean("no")
    smtpd_tls_security_level = text("")
    smtpd_use_tls = boolean("no", deprecated='specify "smtpd_tls_security_level"')
