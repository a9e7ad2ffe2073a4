"""A message as a command reads it: the lines that are added before it, and changed in it.

Source: pipe(8), flags=, eol=, null_sender=; local(8), prepend_delivered_header.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.delivery.report import Delivery
from pyfix.formats.address import internal_to_external

_FROM_LINES: Final = re.compile(rb"^From ", re.MULTILINE)
_DOT_LINES: Final = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CommandInput:
    """What is done with each message; one for all of a service."""

    from_line: bool = False
    """A ``From sender date`` line comes first (F)."""
    return_path: bool = False
    """Return-Path: (R)."""
    original_to: bool = False
    """X-Original-To: (O)."""
    delivered_to: bool = False
    """Delivered-To: (D)."""
    quotes_from: bool = False
    """Lines that begin with ``From `` get a ``>``."""
    doubles_dots: bool = False
    """Lines that begin with a dot get another one."""
    blank_end: bool = False
    """An empty line follows (B)."""
    end_of_line: bytes = b"\n"

    def prefix(self, sender: str, original_recipient: str, recipient: str) -> bytes:
        """Return the lines that are added, each with a newline.

        *sender* is what stands for the empty one, if it is that.
        """
        quoted = internal_to_external(sender)
        lines = ""
        if self.from_line:
            lines = f"From {quoted or 'MAILER-DAEMON'}  {time.asctime()}\n"
        if self.return_path:
            lines += f"Return-Path: <{quoted}>\n"
        if self.original_to and original_recipient:
            lines += f"X-Original-To: {internal_to_external(original_recipient)}\n"
        if self.delivered_to:
            lines += f"Delivered-To: {internal_to_external(recipient)}\n"
        return lines.encode("utf-8", "surrogateescape")

    def blocks(self, delivery: Delivery, sender: str, original_recipient: str, recipient: str) -> Iterator[bytes]:
        """Yield all that the command reads, in large blocks.  Raises ContentDamaged."""
        prefix = self.prefix(sender, original_recipient, recipient)
        at_line_start = True
        for block in delivery.message.content_blocks(delivery.request.offset):
            text = block
            if self.quotes_from and b"From " in text:
                text = _changed(_FROM_LINES, b">From ", text, at_line_start)
            if self.doubles_dots and b"." in text:
                text = _changed(_DOT_LINES, b"..", text, at_line_start)
            at_line_start = block.endswith(b"\n")
            if prefix:
                text, prefix = prefix + text, b""
            yield self._ended(text)
        end = prefix if at_line_start else prefix + b"\n"
        if self.blank_end:
            end += b"\n"
        if end:
            yield self._ended(end)

    def _ended(self, text: bytes) -> bytes:
        return text if self.end_of_line == b"\n" else text.replace(b"\n", self.end_of_line)


def _changed(lines: re.Pattern[bytes], replacement: bytes, text: bytes, at_line_start: bool) -> bytes:
    """Replace the beginnings of *lines*; that of *text* itself only when a line starts there."""
    if at_line_start:
        return lines.sub(replacement, text)
    begin, newline, rest = text.partition(b"\n")
    return begin + newline + lines.sub(replacement, rest)
