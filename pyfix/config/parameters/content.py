"""The form of messages: lines, headers, MIME."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, words
from pyfix.config.snapshot import Settings

__all__ = ["ContentSettings"]


class ContentSettings(Settings):
    """The form of messages: lines, headers, MIME."""

    disable_mime_input_processing = boolean("no")
    """Whether the MIME structure of incoming mail is left unexamined."""

    disable_mime_output_conversion = boolean("no")
    """Whether 8-bit mail is sent as it is to a server that does not announce 8BITMIME."""

    header_address_token_limit = integer("10240", minimum=1)
    """Address tokens of a header that are looked at; the rest is dropped."""

    header_size_limit = integer("102400", minimum=1)
    """Bytes of a header; what goes beyond is cut off."""

    internal_mail_filter_classes = words("")
    """Which mail of our own making is filtered: bounce, notify."""

    line_length_limit = integer("2048", minimum=512)
    """Bytes of a line of text before it is split while it is received."""

    message_drop_headers = words("bcc, content-length, resent-bcc, return-path")
    """The headers that are removed from every message."""

    mime_boundary_length_limit = integer("2048", minimum=1)
    """Bytes of a MIME boundary that tell boundaries apart."""

    mime_nesting_limit = integer("100", minimum=1)
    """Levels of MIME structure that are examined."""

    strict_7bit_headers = boolean("no")
    """Whether headers with 8-bit text are rejected."""

    strict_8bitmime = boolean("no")
    """Both strict_7bit_headers and strict_8bitmime_body."""

    strict_8bitmime_body = boolean("no")
    """Whether 8-bit bodies are rejected that do not say that they are."""

    strict_mime_encoding_domain = boolean("no")
    """Whether message and multipart contents with a forbidden encoding are rejected."""
