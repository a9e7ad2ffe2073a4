"""The QMQP server: qmqpd(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, words
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.mail_entry import MailEntrySettings

__all__ = ["QmqpdSettings"]


class QmqpdSettings(MailEntrySettings, MailSettings):
    """The QMQP server: qmqpd(8)."""

    qmqpd_authorized_clients = words("")
    """The clients that may use QMQP."""

    qmqpd_client_port_logging = boolean("no")
    """Whether the client's port is logged with its address."""

    qmqpd_error_delay = duration("1s")
    """Seconds to wait before a bad reply."""

    qmqpd_timeout = duration("300s", minimum=1)
    """Seconds for each read and write."""
