from __future__ import annotations

from pyfix.config.parameters.lmtp_client import LmtpClientSettings
from pyfix.daemons.smtp.daemon import Smtp
from pyfix.daemons.smtp.lmtp import Lmtp
from tests.unit.daemons.requests import is_final
from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import serving


def test_it_reads_its_own_parameters() -> None:
    assert issubclass(Lmtp, Smtp) and Lmtp.settings_class is LmtpClientSettings


def test_each_recipient_has_his_own_reply(system: System) -> None:
    with serving(system, {"lmtp_lhlo_name": "me.example"}, "lmtp") as found:
        found.peer.reset({".": ["250 2.1.5 a", "452 4.2.2 b"]}, lmtp=True)
        message = found.message("a@x.example", "b@x.example")
        client = found.daemon.connect()
        client.socket.sendall(message.encode())
        client.receive()
        reply = client.receive()
        assert not is_final(reply)
        assert [line.rpartition("status=")[2] for line in found.status_lines()[:1]] == ["sent (250 2.1.5 a)"]
        assert found.defer.next()["recipient"] == "b@x.example"
        assert found.peer.seen()[0][0] == "LHLO me.example"
