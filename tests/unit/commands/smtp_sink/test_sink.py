"""What the reference does in the same cases is in tests/parity/commands/test_load_tools.py."""

from __future__ import annotations

from tests.kit.loadtools import conversation, sink
from tests.kit.smtp import CLOSED, Dialogue


def test_a_client_that_says_nothing() -> None:
    assert conversation("pyfix", ["-t", "1"], [b""]) == ["220 smtp-sink ESMTP", CLOSED]


def test_it_ends_when_its_sessions_are_over() -> None:
    with sink("pyfix", "smtp-sink", "-c", "-n", "2") as server:
        for _ in range(2):
            with Dialogue("127.0.0.1", server.port) as client:
                client.say(b"QUIT\r\n")
        assert server.end() == 0
        assert server.output.endswith(b"sess=2 quit=2 mesg=0\r")
