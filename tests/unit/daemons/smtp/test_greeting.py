from __future__ import annotations

import pytest

from tests.kit.peer import Lost
from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import PIPELINING, Serving, serving


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({}, ["EHLO mail.ours.example"]),
        ({"EHLO": "500 what"}, ["EHLO mail.ours.example", "HELO mail.ours.example"]),
        ({"greeting": "220 ******"}, ["HELO mail.ours.example"]),
    ],
)
def test_introductions(agent: Serving, script: dict[str, str], said: list[str]) -> None:
    agent.deliver(script)
    lines = agent.peer.seen()[0]
    assert lines[: len(said)] == said and lines[len(said)].startswith("MAIL")


def test_refusals(agent: Serving) -> None:
    agent.deliver({"greeting": "554 5.3.2 never"})
    assert agent.defer.next()["status"] == "4.3.2", "another server may talk"
    assert agent.peer.seen() == [["QUIT"]]
    agent.deliver({"EHLO": Lost()})
    assert agent.defer.next()["reason"].endswith("while performing the EHLO handshake")


def test_keywords_that_are_not_believed(system: System) -> None:
    with serving(system, {"smtp_discard_ehlo_keywords": "dsn, silent-discard"}) as found:
        found.deliver({"EHLO": PIPELINING})
        assert "RCPT TO:<a@x.example>" in found.peer.seen()[0]
    with serving(system, {"smtp_discard_ehlo_keyword_address_maps": "inline:{127.0.0.1=dsn}"}) as found:
        found.deliver({"EHLO": PIPELINING})
        assert "RCPT TO:<a@x.example>" in found.peer.seen()[0]
        assert any(line.endswith("discarding EHLO keywords: DSN") for line in system.logged("discarding"))
