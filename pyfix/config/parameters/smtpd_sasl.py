"""Authentication in the SMTP server: SASL_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdSaslSettings"]


class SmtpdSaslSettings(Settings):
    """Authentication in the SMTP server: SASL_README."""

    broken_sasl_auth_clients = boolean("no")
    """Whether AUTH is also announced in the form that some old clients need."""

    smtpd_sasl_auth_enable = boolean("no")
    """Whether clients may authenticate."""

    smtpd_sasl_authenticated_header = boolean("no")
    """Whether the Received: header names the login."""

    smtpd_sasl_exceptions_networks = words("")
    """The clients that are not offered AUTH."""

    smtpd_sasl_local_domain = text("")
    """The realm of logins without one."""

    smtpd_sasl_mechanism_filter = words("!external, static:rest")
    """The mechanisms that are offered."""

    smtpd_sasl_path = text("smtpd", minimum=1)
    """Where the SASL service is, in its own terms."""

    smtpd_sasl_response_limit = integer("12288", minimum=12288)
    """Bytes of a client's SASL response."""

    smtpd_sasl_security_options = words("noanonymous")
    """The mechanisms to leave out, by property, in plaintext sessions."""

    smtpd_sasl_service = text("smtp", minimum=1)
    """The service name that the SASL library hears."""

    smtpd_sasl_tls_security_options = words("$smtpd_sasl_security_options")
    """The mechanisms to leave out, by property, in TLS sessions."""

    smtpd_sasl_type = text("cyrus", minimum=1)
    """Which SASL implementation to ask: cyrus or dovecot."""
