"""The local delivery agent: local(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, longinteger, raw, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.command_delivery import CommandDeliverySettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.mailbox import MailboxSettings
from pyfix.config.parameters.notification import NotificationSettings

__all__ = ["LocalSettings"]


class LocalSettings(
    MailboxSettings,
    CommandDeliverySettings,
    AddressClassSettings,
    AddressMappingSettings,
    NotificationSettings,
    MailSettings,
):
    """The local delivery agent: local(8)."""

    allow_mail_to_commands = words("alias, forward")
    allow_mail_to_files = words("alias, forward")
    biff = boolean("yes")
    command_execution_directory = raw("")
    command_expansion_filter = text(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", minimum=1
    )
    execution_directory_expansion_filter = text(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", minimum=1
    )
    expand_owner_alias = boolean("no")
    fallback_transport = text("")
    fallback_transport_maps = words("")
    forward_expansion_filter = text(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", minimum=1
    )
    forward_path = raw("$home/.forward${recipient_delimiter}${extension}, $home/.forward")
    frozen_delivered_to = boolean("yes")
    home_mailbox = text("")
    local_command_shell = text("")
    local_delivery_status_filter = words("$default_delivery_status_filter")
    luser_relay = raw("")
    mailbox_command = raw("")
    mailbox_command_maps = words("")
    mailbox_delivery_lock = words("fcntl, dotlock", minimum=1)
    mailbox_size_limit = longinteger("51200000")
    mailbox_transport = text("")
    mailbox_transport_maps = words("")
    prepend_delivered_header = words("command, file, forward")
    require_home_directory = boolean("no")
    reset_owner_alias = boolean("no")
    sun_mailtool_compatibility = boolean("no")
