from __future__ import annotations

from tests.unit.daemons.smtp.serving import Serving


def test_names_of_the_machine(agent: Serving) -> None:
    agent.deliver(None, nexthop=f"[localhost]:{agent.peer.port}")
    assert agent.status_lines()[0].startswith("<a@x.example>, relay=localhost[127.0.0.1]:PORT, ")


def test_a_name_that_nobody_has(agent: Serving) -> None:
    agent.deliver(None, nexthop="[no.such.invalid]")
    told = agent.bounce.next()
    assert told["status"] == "5.4.4" and told["reason"].startswith("unable to look up host no.such.invalid: ")
