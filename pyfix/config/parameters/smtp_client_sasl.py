"""Authentication in the SMTP client."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpClientSaslSettings"]


class SmtpClientSaslSettings(Settings):
    """Authentication in the SMTP client."""

    smtp_sasl_auth_cache_name = text("")
    smtp_sasl_auth_cache_time = duration("90d")
    smtp_sasl_auth_enable = boolean("no")
    smtp_sasl_auth_soft_bounce = boolean("yes")
    smtp_sasl_mechanism_filter = words("")
    smtp_sasl_password_maps = words("")
    smtp_sasl_password_result_delimiter = text(":", minimum=1, maximum=1)
    smtp_sasl_path = text("")
    smtp_sasl_security_options = words("noplaintext, noanonymous")
    smtp_sasl_type = text("cyrus", minimum=1)
    smtp_sender_dependent_authentication = boolean("no")
