"""What the reference does in the same cases is in tests/parity/commands/test_load_tools.py."""

from __future__ import annotations

import pytest

from pyfix.commands.smtp_sink import rules
from pyfix.commands.smtp_sink.rules import BadReply, Rules
from pyfix.runtime.console import CommandError


def test_commands_and_delays() -> None:
    assert rules._commands(" Mail,RCPT . ") == [b"mail", b"rcpt", b"."]
    assert rules._delay("DATA:3") == {b"data": (3, 0)}
    assert rules._delay("DATA:3:50") == {b"data": (3, 50)}
    assert rules.drawn_seconds(3, 0) == 3
    assert rules.drawn_seconds(3, 99) % 3 == 0
    for text in ("DATA", "DATA:x", "DATA:0", "DATA:1:100", "DATA:1:0", "DATA:1:2:3", "WHAT:1"):
        with pytest.raises(CommandError):
            rules._delay(text)


def test_replies_and_last_words() -> None:
    found = Rules([("r", "rcpt"), ("f", "."), ("Q", "vrfy"), ("q", "noop"), ("B", "550 no")])
    assert found.replies == {b"rcpt": b"450 4.3.0 Error: command failed\r\n", b".": b"550 no\r\n"}
    assert found.leaves == {b"vrfy": b"421 4.0.0 Server closing connection\r\n", b"noop": b""}
    assert b"PIPELINING" not in found.features
    with pytest.raises(BadReply):
        Rules([("b", "550 hard")])


@pytest.mark.parametrize(
    ("options", "known", "greeting"),
    [
        ([], b"ehlo", b"220 smtp-sink ESMTP\r\n"),
        ([("L", "")], b"lhlo", b"220 smtp-sink ESMTP\r\n"),
        ([("e", "")], b"helo", b"220 smtp-sink\r\n"),
        ([("P", "")], b"helo", b"220 ********\r\n"),
    ],
)
def test_who_introduces_itself_how(options: list[tuple[str, str]], known: bytes, greeting: bytes) -> None:
    found = Rules(options)
    assert known in found.known and found.greeting == greeting
    assert (b"lhlo" in found.known) is found.is_lmtp
