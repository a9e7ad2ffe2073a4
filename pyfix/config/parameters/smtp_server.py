"""What smtpd(8) and postscreen(8) both read."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, raw, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpServerSettings"]


class SmtpServerSettings(Settings):
    """What smtpd(8) and postscreen(8) both read."""

    disable_vrfy_command = boolean("no")
    smtpd_banner = text("$myhostname ESMTP $mail_name", minimum=1)
    smtpd_client_connection_count_limit = integer("50")
    smtpd_command_filter = words("")
    smtpd_discard_ehlo_keyword_address_maps = words("")
    smtpd_discard_ehlo_keywords = words("")
    smtpd_expansion_filter = raw(
        "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz"
        "{|}~",
        minimum=1,
    )
    smtpd_forbidden_commands = words("CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}")
    smtpd_helo_required = boolean("no")
    smtpd_reject_footer = raw("")
