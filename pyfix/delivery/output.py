"""A message as it is written to a file: the header lines that delivery adds, and the content."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.delivery.outcome import BOUNCED, DAMAGED, DEFERRED, Damaged, Outcome
from pyfix.delivery.report import Delivery
from pyfix.formats.address import internal_to_external
from pyfix.queue.message import ContentDamaged, Message

_FROM: Final = b"From "


@dataclass(slots=True)
class Output:
    """One message for one recipient, to be written to one file."""

    delivery: Delivery
    sender: str
    original_recipient: str
    """X-Original-To: the recipient before alias expansion; empty for no such line."""
    delivered_to: str
    """Delivered-To: empty for no such line."""

    def prefix(self, *, mailbox: bool) -> bytes:
        """Return the header lines that are added; with *mailbox* the ``From `` line too.

        Source: virtual(8), local(8); RFC 4155 for the ``From `` line.
        """
        sender = internal_to_external(self.sender)
        lines = f"Return-Path: <{sender}>\n"
        if mailbox:
            lines = f"From {sender or 'MAILER-DAEMON'}  {time.asctime()}\n{lines}"
        if self.original_recipient:
            lines += f"X-Original-To: {internal_to_external(self.original_recipient)}\n"
        if self.delivered_to:
            lines += f"Delivered-To: {internal_to_external(self.delivered_to)}\n"
        return lines.encode("utf-8", "surrogateescape")

    def blocks(self, *, mailbox: bool) -> Iterator[bytes]:
        """Yield all that is to be written, in large blocks; the first has the added lines.

        With *mailbox* lines that begin with ``From `` get a ``>``, and an empty line follows the message.
        Raises ContentDamaged.
        """
        held = self.prefix(mailbox=mailbox)
        is_first = at_line_start = True
        for block in self.delivery.message.content_blocks(self.delivery.request.offset):
            text = block
            if mailbox and _FROM in text:
                if at_line_start and text.startswith(_FROM):
                    text = b">" + text
                text = text.replace(b"\nFrom ", b"\n>From ")
            at_line_start = text.endswith(b"\n")
            if is_first:
                held += text
                is_first = False
            else:
                yield held
                held = text
        if not at_line_start:
            held += b"\n"
        yield held + b"\n" if mailbox else held


def write_all(fd: int, output: Output, *, mailbox: bool, room: int) -> None:
    """Write a message to *fd*, but no more than *room* bytes (-1: without limit).

    Raises FileProblem.
    """
    blocks = output.blocks(mailbox=mailbox)
    while True:
        try:
            block = next(blocks, None)
        except ContentDamaged as damage:
            raise FileProblem(damaged(output.delivery.message, damage)) from damage
        if block is None:
            return
        try:
            if room >= 0:
                room -= len(block)
                if room < 0:
                    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            written = os.write(fd, block)
            while written < len(block):
                written += os.write(fd, block[written:])
        except OSError as error:
            raise io_problem("error writing message", error, "5.3.0") from error


class FileProblem(Exception):
    """A message could not be written to a file; *outcome* says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome

    def behind(self, prefix: str) -> FileProblem:
        """Return the same with *prefix* before the text, unless it is not the file that has the problem."""
        outcome = self.outcome
        if outcome.kind == DAMAGED:
            return self
        return FileProblem(outcome._replace(text=prefix + outcome.text))


def damaged(message: Message, damage: ContentDamaged, new_id: str = "") -> Outcome:
    """Return the outcome for a message whose content cannot be read.

    *new_id* is the queue id of the message to which it was copied, if it was one.
    """
    trouble = f"{message.path}: {damage.trouble}\n" if damage.trouble else ""
    copied = f"{new_id}: " if new_id else ""
    return Damaged(f"{trouble}{copied}{damage}\ncorrupted queue file: {message.path}")


_CODES: Final = {
    errno.EAGAIN: "4.2.0", errno.ESTALE: "4.2.0", errno.ENOSPC: "4.3.0", errno.EDQUOT: "5.2.2", errno.EFBIG: "5.2.2",
}  # fmt: skip


def problem(text: str, code: str, *, diag_text: str = "") -> FileProblem:
    """Return a failure whose code decides whether the recipient bounces or is deferred."""
    kind, action = (BOUNCED, "failed") if code[0] == "5" else (DEFERRED, "delayed")
    return FileProblem(Outcome(kind, code, text, action, "x-unix" if diag_text else "", diag_text))


def io_problem(text: str, error: OSError, default: str, *, diag_text: str = "input/output error") -> FileProblem:
    """Return a failure of the system; full disks and exceeded quotas have codes of their own."""
    code = _CODES.get(error.errno or 0, default)
    return problem(f"{text}: {error.strerror}", code, diag_text=diag_text)
