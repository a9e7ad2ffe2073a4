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
    """Where ``|command`` may stand: alias, forward, include."""

    allow_mail_to_files = words("alias, forward")
    """Where ``/file`` may stand: alias, forward, include."""

    biff = boolean("yes")
    """Whether comsat(8) hears of new mail."""

    command_execution_directory = raw("")
    """The working directory of commands, with $name of the recipient."""

    command_expansion_filter = text(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", minimum=1
    )
    """The characters that values may have in mailbox_command."""

    execution_directory_expansion_filter = text(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", minimum=1
    )
    """The characters that values may have in command_execution_directory."""

    expand_owner_alias = boolean("no")
    """Whether the sender is what the owner- alias stands for instead of its name."""

    fallback_transport = text("")
    """The transport of recipients that are neither aliases nor accounts."""

    fallback_transport_maps = words("")
    """The same by table."""

    forward_expansion_filter = text(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", minimum=1
    )
    """The characters that values may have in forward_path."""

    forward_path = raw("$home/.forward${recipient_delimiter}${extension}, $home/.forward")
    """The places of a .forward file, with $name of the recipient."""

    frozen_delivered_to = boolean("yes")
    """Whether the Delivered-To: loop check looks at the address before or after expansion."""

    home_mailbox = text("")
    """A mailbox below the home directory; with a trailing slash a Maildir."""

    local_command_shell = text("")
    """The shell of commands; empty: run them without one when possible."""

    local_delivery_status_filter = words("$default_delivery_status_filter")
    """What default_delivery_status_filter is for local(8)."""

    luser_relay = raw("")
    """Who gets mail for unknown users, with $name of the recipient."""

    mailbox_command = raw("")
    """The command that delivers to all mailboxes, with $name in its environment."""

    mailbox_command_maps = words("")
    """The same by table."""

    mailbox_delivery_lock = words("fcntl, dotlock", minimum=1)
    """How a mailbox is locked: fcntl, flock, dotlock."""

    mailbox_size_limit = longinteger("51200000")
    """Bytes of a mailbox or Maildir file, at least message_size_limit; 0: any number."""

    mailbox_transport = text("")
    """The transport of all accounts."""

    mailbox_transport_maps = words("")
    """The same by table."""

    prepend_delivered_header = words("command, file, forward")
    """Where a Delivered-To: header is added: command, file, forward."""

    require_home_directory = boolean("no")
    """Whether there is no delivery without a home directory."""

    reset_owner_alias = boolean("no")
    """Whether the owner of an alias with no owner- alias is its own or the one outside."""

    sun_mailtool_compatibility = boolean("no")
    """Has no effect any more; see mailbox_delivery_lock."""
