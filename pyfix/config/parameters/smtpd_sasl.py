"""Authentication in the SMTP server: SASL_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdSaslSettings"]


class SmtpdSaslSettings(Settings):
    """Authentication in the SMTP server: SASL_README."""

    broken_sasl_auth_clients = boolean("no")
    smtpd_sasl_auth_enable = boolean("no")
    smtpd_sasl_authenticated_header = boolean("no")
    smtpd_sasl_exceptions_networks = words("")
    smtpd_sasl_local_domain = text("")
    smtpd_sasl_mechanism_filter = words("!external, static:rest")
    smtpd_sasl_path = text("smtpd", minimum=1)
    smtpd_sasl_response_limit = integer("12288", minimum=12288)
    smtpd_sasl_security_options = words("noanonymous")
    smtpd_sasl_service = text("smtp", minimum=1)
    smtpd_sasl_tls_security_options = words("$smtpd_sasl_security_options")
    smtpd_sasl_type = text("cyrus", minimum=1)
