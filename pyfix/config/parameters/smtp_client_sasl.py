"""Authentication in the SMTP client."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpClientSaslSettings"]


class SmtpClientSaslSettings(Settings):
    """Authentication in the SMTP client."""

    pyfix_smtp_sasl_token_maps = words("", own=True)
    """The tables from login to its OAuth token, instead of a password: file:/path or command:/path argument ..."""

    smtp_sasl_auth_cache_name = text("")
    """The table of logins that a server has refused."""

    smtp_sasl_auth_cache_time = duration("90d")
    """Seconds that they are remembered."""

    smtp_sasl_auth_enable = boolean("no")
    """Whether to authenticate."""

    smtp_sasl_auth_soft_bounce = boolean("yes")
    """Whether mail is deferred when the server refuses the login."""

    smtp_sasl_mechanism_filter = words("")
    """The mechanisms that may be used."""

    smtp_sasl_password_maps = words("")
    """The tables from server, destination or sender to login and password."""

    smtp_sasl_password_result_delimiter = text(":", minimum=1, maximum=1)
    """What stands between login and password there."""

    smtp_sasl_path = text("")
    """Where the SASL implementation is, in its own terms."""

    smtp_sasl_security_options = words("noplaintext, noanonymous")
    """The mechanisms to leave out, by property, in plaintext sessions."""

    smtp_sasl_type = text("cyrus", minimum=1)
    """Which SASL implementation to use: cyrus."""

    smtp_sender_dependent_authentication = boolean("no")
    """Whether smtp_sasl_password_maps are also asked for the sender."""
