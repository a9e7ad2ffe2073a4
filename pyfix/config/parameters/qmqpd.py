"""The QMQP server: qmqpd(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, words
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.mail_entry import MailEntrySettings

__all__ = ["QmqpdSettings"]


class QmqpdSettings(MailEntrySettings, MailSettings):
    """The QMQP server: qmqpd(8)."""

    qmqpd_authorized_clients = words("")
    qmqpd_client_port_logging = boolean("no")
    qmqpd_error_delay = duration("1s")
    qmqpd_timeout = duration("300s", minimum=1)
