from __future__ import annotations

from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import PIPELINING, Serving, serving


def test_what_the_server_offers_is_used(agent: Serving) -> None:
    agent.deliver({"EHLO": PIPELINING}, '"a b"@x.example')
    lines = agent.peer.seen()[0]
    assert lines[1].startswith("MAIL FROM:<s@x.example> SIZE=") and lines[1].endswith(" BODY=8BITMIME")
    assert lines[2].startswith("RCPT TO:<")


def test_addresses_are_quoted_unless_told_otherwise(system: System) -> None:
    with serving(system, {"smtp_quote_rfc821_envelope": "no"}) as found:
        found.deliver(None, "a b@x.example")
        assert found.peer.seen()[0][2] == "RCPT TO:<a b@x.example>"
    with serving(system) as found:
        found.deliver(None, "a b@x.example")
        assert found.peer.seen()[0][2] == 'RCPT TO:<"a b"@x.example>'
