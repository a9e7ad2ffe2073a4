from __future__ import annotations

from pyfix.daemons.smtpd.commands import COMMANDS
from pyfix.daemons.smtpd.counters import ORDER


def test_every_command_has_a_place_in_the_line_of_the_log() -> None:
    """Otherwise it would be counted, and never shown."""
    assert {command.counter for command in COMMANDS.values()} | {"unknown"} >= set(ORDER) - {"help"}
    assert {command.counter for command in COMMANDS.values()} <= set(ORDER)


def test_which_end_a_group() -> None:
    """RFC 2920: a client must not send on before it has read the reply to these."""
    assert {verb for verb, command in COMMANDS.items() if command.ends_group} == {"DATA", "EHLO", "HELO", "NOOP", "VRFY"}


def test_which_are_junk() -> None:
    assert {verb for verb, command in COMMANDS.items() if command.is_junk} == {"EHLO", "ETRN", "HELO", "NOOP", "RSET", "VRFY"}
