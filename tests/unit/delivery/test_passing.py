"""Recipients that another agent delivers to."""

from __future__ import annotations

from pyfix.daemons.local import daemon as local
from tests.unit.daemons.local.test_daemon import USER, configure, mail, ours
from tests.unit.daemons.requests import Agent, bounce_service, deliver, is_final
from tests.unit.daemons.running import System, running
from tests.unit.daemons.services import HOST, Rewrite

__all__ = ["mail"]


def test_the_agent_of_another_transport(mail: System) -> None:
    Rewrite(mail)
    configure(mail, mailbox_transport="lmtp:unix:private/x")
    agent = Agent(mail, "lmtp")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, USER)))
    request, recipients = agent.next()
    assert (request.nexthop, request.recipient_count, recipients) == ("unix:private/x", 1, [f"{USER}@{HOST}"])
    assert f"local: ABC123: passing <{USER}@{HOST}> to transport=lmtp" in mail.logged("passing")


def test_an_agent_that_is_not_there(mail: System) -> None:
    Rewrite(mail)
    configure(mail, fallback_transport="nosuch")
    defer = bounce_service(mail, "defer")
    with running(local.main, mail, "local") as daemon:
        assert not is_final(deliver(daemon, ours(mail, "nosuchuser")))
    assert defer.next()["reason"] == "mail transport unavailable"
