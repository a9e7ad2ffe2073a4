"""What the reference does in the same cases is in tests/parity/commands/test_load_tools.py."""

from __future__ import annotations

from tests.kit.loadtools import sink
from tests.kit.smtp import Dialogue, Raw


def test_the_end_of_a_message_in_pieces() -> None:
    lines: list[bytes | Raw] = [b"MAIL FROM:<>\r\n", b"RCPT TO:<a>\r\n", b"DATA\r\n"]
    pieces = [b"x\r", b"\n.", b"\r\n..", b"\r\n.x\r\n", b".", b"\r"]
    with sink("pyfix", "smtp-sink") as server, Dialogue("127.0.0.1", server.port) as client:
        for line in [*lines, Raw(b"\n.\r", 0), *(Raw(piece, 0) for piece in pieces[:1])]:
            client.say(line)
        assert client.say(b"\n.\r\nNOOP\r\n") == ["250 2.0.0 Ok"]
        assert client.reply() == "250 2.0.0 Ok"


def test_what_is_pipelined_behind_a_delay_waits() -> None:
    with sink("pyfix", "smtp-sink", "-W", "NOOP:1", "-M", "1") as server, Dialogue("127.0.0.1", server.port) as client:
        assert client.say(Raw(b"NOOP\r\nRSET\r\nVRFY\r\n", 3)) == ["250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.0.0 Ok"]
