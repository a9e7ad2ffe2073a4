"""Sender rewriting (SRS) of mail that is forwarded: pyfix's own, and off as long as there is no domain for it."""

from __future__ import annotations

from pyfix.config.parameter import integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SenderRewritingSettings"]


class SenderRewritingSettings(Settings):
    """Sender rewriting (SRS) of mail that is forwarded."""

    pyfix_srs_domain = text("", own=True, readers="cleanup smtp smtpd")
    """The domain of rewritten senders, whose mail comes here, as in virtual_alias_domains; empty: none is rewritten."""

    pyfix_srs_exclude_domains = words("", own=True, readers="cleanup smtp smtpd")
    """Domains whose senders are left alone when their mail is forwarded, beside those that are local here."""

    pyfix_srs_hash_length = integer("4", minimum=4, maximum=27, own=True, readers="cleanup smtp smtpd")
    """Characters of a signature, of six bits each; other programs that check it may want the default."""

    pyfix_srs_key_file = text("", own=True, readers="cleanup smtp smtpd")
    """The file with the secrets, one a line, as postsrsd has it: the first signs, all are good for checking."""

    pyfix_srs_maximum_age = integer("21", minimum=1, maximum=1000, own=True, readers="cleanup smtp smtpd")
    """Days for which mail to a rewritten sender is taken."""

    pyfix_srs_separator = text("=", minimum=1, maximum=1, own=True, readers="cleanup smtp smtpd")
    """What follows SRS0 and SRS1: one of = + -, better not in recipient_delimiter."""
