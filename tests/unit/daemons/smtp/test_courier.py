from __future__ import annotations

from tests.unit.daemons.requests import is_final
from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import Serving, serving


def test_who_is_refused_for_good_bounces(agent: Serving) -> None:
    reply = agent.deliver({"RCPT": ["250 ok", "550 5.1.1 unknown"]}, "a@x.example", "b@x.example")
    assert is_final(reply)
    told = agent.bounce.next()
    assert (told["recipient"], told["status"], told["diag_type"], told["mta_type"], told["mta_mname"]) == (
        "b@x.example", "5.1.1", "smtp", "dns", "127.0.0.1",
    )  # fmt: skip
    assert told["diag_text"] == "550 5.1.1 unknown"
    assert told["reason"] == "host 127.0.0.1[127.0.0.1] said: 550 5.1.1 unknown (in reply to RCPT TO command)"


def test_a_server_that_does_not_talk_is_told_to_qmgr(agent: Serving) -> None:
    reply = dict(agent.deliver({"greeting": "421 4.3.2 not now"}, "a@x.example"))
    assert reply["reason"] == "host 127.0.0.1[127.0.0.1] refused to talk to me: 421 4.3.2 not now"
    assert agent.defer.next()["status"] == "4.3.2"


def test_a_recipient_who_waits_is_tried_on_the_next_server(system: System) -> None:
    with serving(system) as found:
        nexthop = f"[127.0.0.2]:{found.peer.port},[127.0.0.3]:{found.peer.port}"
        script = {"RCPT": ["250 ok", "450 4.2.1 later", "250 ok"]}
        assert is_final(found.deliver(script, "a@x.example", "b@x.example", nexthop=nexthop))
        first, second = found.peer.seen()
        assert "RCPT TO:<a@x.example>" not in second and "RCPT TO:<b@x.example>" in second
        assert [session.address for session in found.peer.sessions] == ["127.0.0.2", "127.0.0.3"]
        assert any("ABC123: host 127.0.0.2[127.0.0.2] said: 450" in line for line in system.lines)
        assert len(first) > 3
