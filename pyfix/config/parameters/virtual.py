"""The virtual mailbox delivery agent: virtual(8)."""

from __future__ import annotations

from pyfix.config.parameter import integer, longinteger, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.mailbox import MailboxSettings

__all__ = ["VirtualSettings"]


class VirtualSettings(MailboxSettings, AddressClassSettings, MailSettings):
    """The virtual mailbox delivery agent: virtual(8)."""

    virtual_delivery_status_filter = words("$default_delivery_status_filter")
    virtual_gid_maps = words("")
    virtual_mailbox_base = text("", minimum=1)
    virtual_mailbox_limit = longinteger("51200000")
    virtual_mailbox_lock = words("fcntl, dotlock", minimum=1)
    virtual_minimum_uid = integer("100", minimum=1)
    virtual_uid_maps = words("")
