"""Mail filters that speak the Sendmail 8 milter protocol: MILTER_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, text, words
from pyfix.config.snapshot import Settings

__all__ = ["MilterSettings"]


class MilterSettings(Settings):
    """Mail filters that speak the Sendmail 8 milter protocol: MILTER_README."""

    milter_command_timeout = duration("30s", minimum=1)
    """Seconds for a filter's answer to a command."""

    milter_connect_macros = words("j {daemon_name} {daemon_addr} v _")
    """Macros sent with the connect event."""

    milter_connect_timeout = duration("30s", minimum=1)
    """Seconds for connecting to a filter and agreeing on options."""

    milter_content_timeout = duration("300s", minimum=1)
    """Seconds for a filter's answer to message content."""

    milter_data_macros = words("i")
    """Macros sent with DATA."""

    milter_default_action = text("shutdown", minimum=1)
    """What happens when a filter fails: accept, reject, tempfail, quarantine or shutdown."""

    milter_end_of_data_macros = words("i")
    """Macros sent with the end of the message."""

    milter_end_of_header_macros = words("i")
    """Macros sent with the end of the headers."""

    milter_header_checks = words("", readers="cleanup")
    """Checks of the headers that filters add or change."""

    milter_helo_macros = words("{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}")
    """Macros sent with HELO."""

    milter_macro_daemon_name = text("$myhostname", minimum=1)
    """The value of {daemon_name}."""

    milter_macro_defaults = words("")
    """Values of macros that have none by themselves, as name=value."""

    milter_macro_v = text("$mail_name $mail_version", minimum=1)
    """The value of {v}."""

    milter_mail_macros = words("i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}")
    """Macros sent with MAIL FROM."""

    milter_protocol = text("6", minimum=1)
    """Version of the protocol, and optional features."""

    milter_rcpt_macros = words("i {rcpt_addr} {rcpt_host} {rcpt_mailer}")
    """Macros sent with RCPT TO."""

    milter_unknown_command_macros = words("")
    """Macros sent with unknown commands."""

    requiretls_esmtp_header = boolean("yes")
    """Whether mail received with REQUIRETLS gets a header that says so."""
