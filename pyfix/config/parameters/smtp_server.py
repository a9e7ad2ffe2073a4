"""What smtpd(8) and postscreen(8) both read."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, raw, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpServerSettings"]


class SmtpServerSettings(Settings):
    """What smtpd(8) and postscreen(8) both read."""

    disable_vrfy_command = boolean("no")
    """Whether VRFY gets 502."""

    smtpd_banner = text("$myhostname ESMTP $mail_name", minimum=1)
    """Text after the 220 code of the greeting; it must begin with $myhostname."""

    smtpd_client_connection_count_limit = integer("50")
    """Connections that one client may have at a time; 0: any number."""

    smtpd_command_filter = words("")
    """Tables that replace a client's command before it is parsed."""

    smtpd_discard_ehlo_keyword_address_maps = words("")
    """Tables from client address to the EHLO keywords that it is not told."""

    smtpd_discard_ehlo_keywords = words("")
    """EHLO keywords that no client is told."""

    smtpd_expansion_filter = raw(
        "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
        minimum=1,
    )
    """The characters that values may have in the replies of DNS lists and access tables."""

    smtpd_forbidden_commands = words("CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}", readers="postscreen proxymap smtpd")
    """Commands that end the session, such as those of HTTP."""

    smtpd_helo_required = boolean("no")
    """Whether MAIL needs HELO or EHLO before it."""

    smtpd_reject_footer = raw("")
    """A line or more appended to every rejection, with $name of the session."""
