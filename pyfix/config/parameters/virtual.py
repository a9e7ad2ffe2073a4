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
    """What default_delivery_status_filter is for virtual(8)."""

    virtual_gid_maps = words("")
    """Tables from recipient to group id."""

    virtual_mailbox_limit = longinteger("51200000")
    """Bytes of a mailbox, at least message_size_limit; 0: any number."""

    virtual_mailbox_lock = words("fcntl, dotlock", minimum=1)
    """How a mailbox is locked: fcntl, flock, dotlock."""

    virtual_minimum_uid = integer("100", minimum=1)
    """The least user id that virtual_uid_maps may give."""

    virtual_uid_maps = words("")
    """Tables from recipient to user id."""

    virtual_mailbox_base = text("", minimum=1)
    """What stands before every result of virtual_mailbox_maps."""
