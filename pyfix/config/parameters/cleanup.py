"""Message repair and enqueueing: cleanup(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.milter import MilterSettings
from pyfix.config.parameters.notification import NotificationSettings

__all__ = ["CleanupSettings"]


class CleanupSettings(AddressClassSettings, AddressMappingSettings, NotificationSettings, MilterSettings, MailSettings):
    """Message repair and enqueueing: cleanup(8)."""

    always_add_missing_headers = boolean("no")
    always_bcc = text("")
    body_checks = words("")
    body_checks_size_limit = integer("51200")
    canonical_classes = words("envelope_sender, envelope_recipient, header_sender, header_recipient", minimum=1)
    cleanup_replace_stray_cr_lf = boolean("yes")
    detect_8bit_encoding_header = boolean("yes")
    force_mime_input_conversion = boolean("no")
    full_name_encoding_charset = text("utf-8", minimum=1)
    header_checks = words("")
    hopcount_limit = integer("50", minimum=1)
    masquerade_classes = words("envelope_sender, header_sender, header_recipient")
    masquerade_domains = words("")
    masquerade_exceptions = words("")
    message_reject_characters = text("")
    message_strip_characters = text("")
    mime_header_checks = words("$header_checks")
    nested_header_checks = words("$header_checks")
    non_empty_end_of_header_action = text("fix_quietly", minimum=1)
    non_smtpd_milters = words("")
    queue_file_attribute_count_limit = integer("100", minimum=1)
    recipient_bcc_maps = words("")
    recipient_canonical_classes = words("envelope_recipient, header_recipient", minimum=1)
    sender_bcc_maps = words("")
    sender_canonical_classes = words("envelope_sender, header_sender", minimum=1)
    undisclosed_recipients_header = text("")
    virtual_alias_address_length_limit = integer("1000", minimum=1)
    virtual_alias_expansion_limit = integer("1000", minimum=1)
    virtual_alias_recursion_limit = integer("1000", minimum=1)
