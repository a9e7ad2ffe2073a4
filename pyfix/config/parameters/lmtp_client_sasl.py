"""Authentication in the LMTP client."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, text, words
from pyfix.config.parameters.smtp_client_sasl import SmtpClientSaslSettings

__all__ = ["LmtpClientSaslSettings"]


class LmtpClientSaslSettings(SmtpClientSaslSettings):
    """Authentication in the LMTP client.

    The attributes have the names of the SMTP client's, so that code for both protocols reads one name.
    """

    smtp_sasl_auth_cache_name = text("", name="lmtp_sasl_auth_cache_name")
    """The table of logins that a server has refused."""

    smtp_sasl_auth_cache_time = duration("90d", name="lmtp_sasl_auth_cache_time")
    """Seconds that they are remembered."""

    smtp_sasl_auth_enable = boolean("no", name="lmtp_sasl_auth_enable")
    """Whether to authenticate."""

    smtp_sasl_auth_soft_bounce = boolean("yes", name="lmtp_sasl_auth_soft_bounce")
    """Whether mail is deferred when the server refuses the login."""

    smtp_sasl_mechanism_filter = words("", name="lmtp_sasl_mechanism_filter")
    """The mechanisms that may be used."""

    smtp_sasl_password_maps = words("", name="lmtp_sasl_password_maps")
    """The tables from server, destination or sender to login and password."""

    smtp_sasl_password_result_delimiter = text(":", name="lmtp_sasl_password_result_delimiter", minimum=1, maximum=1)
    """What stands between login and password there."""

    smtp_sasl_path = text("", name="lmtp_sasl_path")
    """Where the SASL implementation is, in its own terms."""

    smtp_sasl_security_options = words("noplaintext, noanonymous", name="lmtp_sasl_security_options")
    """The mechanisms to leave out, by property, in plaintext sessions."""

    smtp_sasl_type = text("cyrus", name="lmtp_sasl_type", minimum=1)
    """Which SASL implementation to use: cyrus."""

    smtp_sender_dependent_authentication = boolean("no", name="lmtp_sender_dependent_authentication")
    """Whether no session that is kept serves two senders; unlike smtp(8), lmtp(8) asks no table for the sender."""
