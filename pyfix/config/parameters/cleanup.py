"""Message repair and enqueueing: cleanup(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, choice, integer, keywords, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.milter import MilterSettings
from pyfix.config.parameters.notification import NotificationSettings
from pyfix.config.parameters.sender_rewriting import SenderRewritingSettings

__all__ = ["CleanupSettings"]

_CLASSES = "envelope_sender envelope_recipient header_sender header_recipient"


class CleanupSettings(
    AddressClassSettings,
    AddressMappingSettings,
    NotificationSettings,
    MilterSettings,
    SenderRewritingSettings,
    MailSettings,
):
    """Message repair and enqueueing: cleanup(8)."""

    always_add_missing_headers = boolean("no")
    """Whether missing From:, To:, Date: and Message-ID: are added to everybody's mail."""

    always_bcc = text("")
    """Who gets a copy of every message."""

    body_checks = words("")
    """Tables of patterns for the lines of a body."""

    body_checks_size_limit = integer("51200")
    """Bytes of each part of a body that body_checks looks at."""

    canonical_classes = keywords(
        "envelope_sender, envelope_recipient, header_sender, header_recipient", _CLASSES, checked_by="cleanup"
    )
    """Which addresses canonical_maps apply to."""

    cleanup_replace_stray_cr_lf = boolean("yes")
    """Whether bare CR and LF in a message become spaces."""

    detect_8bit_encoding_header = boolean("yes")
    """Whether 8-bit mail without a say is given a Content-Transfer-Encoding: header."""

    force_mime_input_conversion = boolean("no")
    """Whether 8-bit mail is made 7-bit before content filters see it."""

    full_name_encoding_charset = text("utf-8", minimum=1)
    """The character set of full names in From: headers of our making; empty: leave them."""

    header_checks = words("")
    """Tables of patterns for headers."""

    hopcount_limit = integer("50", minimum=1)
    """Received: headers from which on mail is taken to be in a loop."""

    masquerade_classes = keywords("envelope_sender, header_sender, header_recipient", _CLASSES, checked_by="cleanup")
    """Which addresses masquerade_domains apply to."""

    masquerade_domains = words("")
    """The domains whose subdomains are cut off."""

    masquerade_exceptions = words("")
    """The user names that are not masqueraded."""

    message_reject_characters = text("")
    """Characters that make a message be rejected."""

    message_strip_characters = text("")
    """Characters that are removed from messages."""

    mime_header_checks = words("$header_checks")
    """Tables of patterns for the headers of MIME parts."""

    nested_header_checks = words("$header_checks")
    """Tables of patterns for the headers of attached messages."""

    non_empty_end_of_header_action = choice(
        "fix_quietly", "fix_quietly add_header reject", refusal="bad {name} value: '{value}'", checked_by="cleanup"
    )
    """What to do about text behind the last header: fix_quietly, add_header or reject."""

    non_smtpd_milters = words("")
    """The mail filters of mail that does not come by SMTP."""

    queue_file_attribute_count_limit = integer("100", minimum=1)
    """Named attributes that a queue file may have."""

    recipient_bcc_maps = words("")
    """Tables from recipient to who gets a copy."""

    recipient_canonical_classes = keywords(
        "envelope_recipient, header_recipient", "envelope_recipient header_recipient",
        title="canonical_classes", checked_by="cleanup",
    )  # fmt: skip
    """Which addresses recipient_canonical_maps apply to."""

    sender_bcc_maps = words("")
    """Tables from sender to who gets a copy."""

    sender_canonical_classes = keywords(
        "envelope_sender, header_sender", "envelope_sender header_sender",
        title="canonical_classes", checked_by="cleanup",
    )  # fmt: skip
    """Which addresses sender_canonical_maps apply to."""

    undisclosed_recipients_header = text("")
    """The header for mail without a recipient header; empty: none."""

    virtual_alias_address_length_limit = integer("1000", minimum=1)
    """Bytes of an address that virtual aliasing makes."""

    virtual_alias_expansion_limit = integer("1000", minimum=1)
    """Addresses that one recipient may become."""

    virtual_alias_recursion_limit = integer("1000", minimum=1)
    """Aliases in a row."""
