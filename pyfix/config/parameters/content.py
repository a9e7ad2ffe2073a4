"""The form of messages: lines, headers, MIME."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, words
from pyfix.config.snapshot import Settings

__all__ = ["ContentSettings"]


class ContentSettings(Settings):
    """The form of messages: lines, headers, MIME."""

    disable_mime_input_processing = boolean("no")
    disable_mime_output_conversion = boolean("no")
    header_address_token_limit = integer("10240", minimum=1)
    header_size_limit = integer("102400", minimum=1)
    internal_mail_filter_classes = words("")
    line_length_limit = integer("2048", minimum=512)
    message_drop_headers = words("bcc, content-length, resent-bcc, return-path")
    mime_boundary_length_limit = integer("2048", minimum=1)
    mime_nesting_limit = integer("100", minimum=1)
    strict_7bit_headers = boolean("no")
    strict_8bitmime = boolean("no")
    strict_8bitmime_body = boolean("no")
    strict_mime_encoding_domain = boolean("no")
