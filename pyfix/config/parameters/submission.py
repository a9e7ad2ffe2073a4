"""Mail from the command line: sendmail(1), postdrop(1), postqueue(1)."""

from __future__ import annotations

from pyfix.config.parameter import text, words
from pyfix.config.parameters.mail import MailSettings

__all__ = ["SubmissionSettings"]


class SubmissionSettings(MailSettings):
    """Mail from the command line: sendmail(1), postdrop(1), postqueue(1)."""

    authorized_flush_users = words("static:anyone", readers="postqueue")
    """Who may flush the queue."""

    authorized_mailq_users = words("static:anyone", readers="postqueue")
    """Who may list the queue."""

    authorized_submit_users = words("static:anyone", readers="postdrop sendmail")
    """Who may send mail with sendmail(1)."""

    empty_address_local_login_sender_maps_lookup_key = text("<>", readers="postdrop")
    """What the null sender is in local_login_sender_maps."""

    local_login_sender_maps = words("static:*", readers="postdrop")
    """Tables from login name to the senders that it may use with sendmail(1)."""

    sendmail_fix_line_endings = text("always", minimum=1, readers="sendmail")
    """What sendmail(1) does about CR LF line ends: always, strict or never."""
