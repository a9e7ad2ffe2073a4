from __future__ import annotations

from tests.kit.ports import ReservedPort
from tests.unit.daemons.requests import is_final
from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import Serving, serving


def test_nobody_answers(agent: Serving) -> None:
    nobody = ReservedPort()
    agent.deliver(None, nexthop=f"[127.0.0.1]:{nobody.number}")
    assert agent.defer.next()["reason"] == f"connect to 127.0.0.1[127.0.0.1]:{nobody.number}: Connection refused"
    nobody.release()


def test_mail_that_must_be_encrypted_waits(system: System) -> None:
    with serving(system, {"smtp_tls_security_level": "encrypt"}) as found:
        found.deliver(None)
        assert found.defer.next()["reason"] == "TLS is required, but was not offered by host 127.0.0.1[127.0.0.1]"
        assert not any(line.startswith("MAIL") for line in found.peer.seen()[0])


def test_our_address(system: System) -> None:
    with serving(system, {"smtp_bind_address": "127.0.0.9"}) as found:
        assert is_final(found.deliver(None))
    with serving(system, {"smtp_bind_address": "192.0.2.1", "smtp_bind_address_enforce": "yes"}) as found:
        found.deliver(None)
        assert found.defer.next()["reason"] == "server configuration error"
    assert any("warning: smtp_connect_addr: bind 192.0.2.1: " in line for line in system.logged("bind"))
