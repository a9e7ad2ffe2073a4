"""Mail filters that speak the Sendmail 8 milter protocol: MILTER_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, text, words
from pyfix.config.snapshot import Settings

__all__ = ["MilterSettings"]


class MilterSettings(Settings):
    """Mail filters that speak the Sendmail 8 milter protocol: MILTER_README."""

    milter_command_timeout = duration("30s", minimum=1)
    milter_connect_macros = words("j {daemon_name} {daemon_addr} v _")
    milter_connect_timeout = duration("30s", minimum=1)
    milter_content_timeout = duration("300s", minimum=1)
    milter_data_macros = words("i")
    milter_default_action = text("shutdown", minimum=1)
    milter_end_of_data_macros = words("i")
    milter_end_of_header_macros = words("i")
    milter_header_checks = words("")
    milter_helo_macros = words("{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}")
    milter_macro_daemon_name = text("$myhostname", minimum=1)
    milter_macro_defaults = words("")
    milter_macro_v = text("$mail_name $mail_version", minimum=1)
    milter_mail_macros = words("i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}")
    milter_protocol = text("6", minimum=1)
    milter_rcpt_macros = words("i {rcpt_addr} {rcpt_host} {rcpt_mailer}")
    milter_unknown_command_macros = words("")
    requiretls_esmtp_header = boolean("yes")
