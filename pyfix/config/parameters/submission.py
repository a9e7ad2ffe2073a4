"""Mail from the command line: sendmail(1), postdrop(1), postqueue(1)."""

from __future__ import annotations

from pyfix.config.parameter import text, words
from pyfix.config.parameters.mail import MailSettings

__all__ = ["SubmissionSettings"]


class SubmissionSettings(MailSettings):
    """Mail from the command line: sendmail(1), postdrop(1), postqueue(1)."""

    authorized_flush_users = words("static:anyone")
    authorized_mailq_users = words("static:anyone")
    authorized_submit_users = words("static:anyone")
    empty_address_local_login_sender_maps_lookup_key = text("<>")
    local_login_sender_maps = words("static:*")
    sendmail_fix_line_endings = text("always", minimum=1)
