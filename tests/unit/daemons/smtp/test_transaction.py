from __future__ import annotations

from tests.kit.peer import Lost
from tests.unit.daemons.requests import is_final
from tests.unit.daemons.smtp.serving import PIPELINING, Serving


def test_content_of_many_blocks(agent: Serving) -> None:
    content = b"Subject: x\n\n" + b"".join(b".line %d\n" % number for number in range(60000))
    assert is_final(agent.deliver({"EHLO": "250 PIPELINING"}, content=content))  # type: ignore[arg-type]  # options are of any type
    lines = agent.peer.seen()[0]
    assert lines[-3:] == ["..line 59999", ".", "QUIT"] and len(lines) == 60008


def test_too_large_for_the_server(agent: Serving) -> None:
    agent.deliver({"EHLO": "250-peer.example\n250 SIZE 10"})
    told = agent.bounce.next()
    assert told["status"] == "5.3.4" and told["reason"].startswith("message size ")
    assert agent.peer.seen() == [["EHLO mail.ours.example"]]


def test_lost_at_the_end(agent: Serving) -> None:
    agent.deliver({"EHLO": PIPELINING, ".": Lost()})
    assert agent.defer.next()["reason"].endswith("while sending end of data -- message may be sent more than once")
