"""Delivery to a command: what it reads, and what its end says about the delivery.

Source: pipe(8), DIAGNOSTICS; local(8), EXTERNAL COMMAND DELIVERY; sysexits(3).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyfix.delivery.outcome import BOUNCED, DEFERRED, Deferred, Outcome, Sent
from pyfix.delivery.output import damaged
from pyfix.delivery.rights import rights
from pyfix.formats.status import exit_status_detail, split_status, status_prefix
from pyfix.queue.message import ContentDamaged, Message
from pyfix.runtime.log import log
from pyfix.runtime.process import Conversation, Program

__all__ = ["Command", "run_command", "words_of_command"]

_MOST_OUTPUT: Final = 4096
_BLANK: Final = re.compile(r"[\t\n]")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]")
"""Control characters, and bytes that are no UTF-8."""
_TOO_SLOW: Final = {
    "read": "pipe_command_read: read", "write": "pipe_command_write: write",
    "end": "pipe_command_wait_or_kill: child wait",
}  # fmt: skip
_PLAIN: Final = re.compile(r"[1234567890!@%\-_=+:,./a-zA-Z \t]*")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, ready to be run for one message."""

    program: Program
    shown: str
    """What the log and notices call it."""
    time_limit: float
    """Seconds; postconf(5) command_time_limit."""


def words_of_command(text: str, shell: str = "") -> tuple[Sequence[str], Sequence[str]]:
    """Return the words of a command line, and what is run instead if the first word names no program.

    A line without anything that a shell would treat is run without one.  *shell* is a command that is to be used in
    any case.  Source: postconf(5) local_command_shell; local(8).
    """
    if shell.strip():
        return [*shell.split(), text], ()
    by_shell = ["sh", "-c", text]
    if _PLAIN.fullmatch(text) and text.strip(" \t"):
        return text.split(), by_shell
    return by_shell, ()


async def run_command(command: Command, message: Message, content: Iterator[bytes]) -> Outcome:
    """Let the command read *content*; return what became of the delivery.

    The text of ``sent`` is what the command said, for the caller to put it into words.
    """
    try:
        conversation = Conversation(command.program, command.time_limit)
    except OSError as error:
        log.warning(f"Delivery failed: {error.strerror}")
        return Deferred("4.3.0", f"Delivery failed: {error.strerror}")
    damage: ContentDamaged | None = None
    try:
        await conversation.hold(content, _MOST_OUTPUT)
    except ContentDamaged as error:
        damage = error
    in_time = await conversation.end()
    said = _shown(conversation.output)
    if not in_time:
        log.warning(f"{_TOO_SLOW[conversation.timed_out]} time limit exceeded")
        with rights(command.program.owner):
            conversation.process.kill()
        await conversation.process.ended()
        text = f'Command time limit exceeded: "{command.shown}"'
        return _failed("5.3.0", text, said, said or "internal software error")
    outcome = _outcome(command.shown, conversation.process.status, said)
    if outcome is not None:
        return outcome
    if damage is not None:
        return damaged(message, damage)
    if conversation.write_error is not None:
        return _failed("5.3.0", f"Command failed: error writing message: {conversation.write_error.strerror}", "", "")
    return Sent(said)


def _outcome(shown: str, status: int, said: str) -> Outcome | None:
    """Return what a wait status means; None for success."""
    if os.WIFSIGNALED(status):
        text = f'Command died with signal {os.WTERMSIG(status)}: "{shown}"'
        return _failed("4.3.0", text, said, said or "internal software error")
    code = os.waitstatus_to_exitcode(status)
    if not code:
        return None
    if status_prefix(said):
        enhanced, text = split_status(said, "5.3.0")
        return _result(enhanced, text, "x-unix", text)
    detail = exit_status_detail(code)
    if detail is not None:
        return _failed(detail.code, detail.text, said, said or detail.text)
    diagnosis = said or f"unknown mail system error {code}"
    return _failed("5.3.0", f'Command died with status {code}: "{shown}"', said, diagnosis)


def _failed(code: str, text: str, said: str, diagnosis: str) -> Outcome:
    return _result(code, f"{text}. Command output: {said}" if said else text, "x-unix", diagnosis)


def _result(code: str, text: str, diag_type: str, diag_text: str) -> Outcome:
    if code[0] == "4":
        return Outcome(DEFERRED, code, text, "delayed", diag_type, diag_text)
    return Outcome(BOUNCED, code, text, "failed", diag_type, diag_text)


def _shown(output: bytes) -> str:
    """Return what a command said as one line."""
    return _UNPRINTABLE.sub("_", _BLANK.sub(" ", output.decode("utf-8", "surrogateescape")))
