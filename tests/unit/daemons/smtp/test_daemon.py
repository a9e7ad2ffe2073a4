"""smtp(8) under a master of the tests' own; parity is in tests/parity/smtp/."""

from __future__ import annotations

from tests.unit.daemons.requests import is_final
from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import Serving, serving


def test_one_message(agent: Serving) -> None:
    assert is_final(agent.deliver(None, "a@x.example"))
    (lines,) = agent.peer.seen()
    assert lines == [
        "EHLO mail.ours.example", "MAIL FROM:<s@x.example>", "RCPT TO:<a@x.example>", "DATA", "Subject: x", "", "hello",
        ".", "QUIT",
    ]  # fmt: skip
    (line,) = agent.status_lines()
    assert line.startswith("<a@x.example>, relay=127.0.0.1[127.0.0.1]:PORT, delay=")
    assert line.endswith(", tls=none, dsn=2.0.0, status=sent (250 2.0.0 Got it)")


def test_a_next_hop_that_is_none(agent: Serving) -> None:
    """It is fatal to one request, not to the others."""
    agent.deliver(None, "a@x.example")
    assert agent.daemon.system.logged("status=sent")
    message = agent.message(nexthop="[unclosed")
    client = agent.daemon.connect()
    client.socket.sendall(message.encode())
    client.receive()
    assert client.receive() is None
    assert any("fatal: missing" in line for line in agent.daemon.system.logged("fatal"))
    assert is_final(agent.deliver(None, "a@x.example"))


def test_the_other_name(system: System) -> None:
    with serving(system, program="lmtp") as found:
        assert is_final(found.deliver(None, "a@x.example"))
        assert found.peer.seen()[0][0] == "LHLO mail.ours.example"
