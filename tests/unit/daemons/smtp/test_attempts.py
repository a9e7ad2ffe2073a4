from __future__ import annotations

from tests.kit.ports import ReservedPort
from tests.unit.daemons.requests import is_final
from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import Serving, serving


def test_the_next_destination(agent: Serving) -> None:
    nobody = ReservedPort()
    assert is_final(agent.deliver(None, nexthop=f"[127.0.0.1]:{nobody.number}, {agent.nexthop}"))
    assert any("connect to 127.0.0.1[127.0.0.1]:" in line for line in agent.daemon.system.logged("Connection refused"))
    nobody.release()


def test_sessions_go_on_where_that_is_wanted(system: System) -> None:
    with serving(system, {"smtp_connection_cache_destinations": "127.0.0.1"}) as found:
        found.peer.reset()
        for _ in range(2):
            message = found.message()
            client = found.daemon.connect()
            client.socket.sendall(message.encode())
            client.receive()
            assert is_final(client.receive())
        (session,) = found.peer.sessions
        assert [line for line in session.lines if line in ("RSET", "QUIT")] == ["RSET"]
        assert system.logged("conn_use=2, delay=")
