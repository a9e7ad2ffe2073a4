"""Services that smtpd asks, each out of order in each way: nobody is let in who would not be, and both sides say the same.

In each configuration a good service would let the client's message in, and without it nothing does.
Services for AUTH are out of order in parity/sasl/test_offers.py, tcp: tables in parity/tables/test_served.py.
Source: postconf(5) of the parameters named here; replies of the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.kit import requirements
from tests.kit.faultyserver import FAULTS, FaultyServer
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.kit.ports import ReservedPort
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

_RELAY = "x@elsewhere.example"
_OURS = "user@ours.example"


@dataclass(frozen=True)
class _Service:
    """What smtpd asks, and what a good answer begins with."""

    main: dict[str, str]
    """``{port}`` stands for where the service is."""
    recipient: str = _OURS
    greeting: bytes = b""
    beginning: bytes = b""
    left_out: tuple[str, ...] = ()
    """Faults that take the reference longer than a test should."""


_POLICY = "check_policy_service {{ inet:127.0.0.1:{port}, timeout=1s, try_limit=1, retry_delay=1s }}"
_MILTER = {"smtpd_milters": "inet:127.0.0.1:{port}", "milter_connect_timeout": "1s", "milter_command_timeout": "1s", "milter_content_timeout": "1s"}
_SERVICES = {
    "policy": _Service({"smtpd_recipient_restrictions": f"{_POLICY}, permit"}, beginning=b"action=du"),
    "policy that permits": _Service({"smtpd_relay_restrictions": f"{_POLICY}, reject"}, _RELAY, beginning=b"action=OK\n"),
    "policy at the end": _Service({"smtpd_end_of_data_restrictions": _POLICY}, beginning=b"action=du"),
    "milter": _Service(_MILTER, beginning=b"\0\0\0\x0dO\0\0\0\x06"),
    "milter, reject": _Service(_MILTER | {"milter_default_action": "reject"}, beginning=b"\0\0\0\x0dO\0\0\0\x06"),
    "milter, shutdown": _Service(_MILTER | {"milter_default_action": "shutdown"}, beginning=b"\0\0\0\x0dO\0\0\0\x06"),
    "socketmap": _Service(
        {"smtpd_relay_restrictions": "check_recipient_access socketmap:inet:127.0.0.1:{port}:x, reject"}, _RELAY, beginning=b"5:OK O", left_out=("silent", "stalls")
    ),
    "proxy filter": _Service(
        {"smtpd_proxy_filter": "127.0.0.1:{port}", "smtpd_proxy_timeout": "1s"}, greeting=b"220 filter ESMTP\r\n", beginning=b"250-filter\r\n250 "
    ),
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    found = FaultyServer()
    yield found
    found.close()


@pytest.mark.parametrize("name", _SERVICES)
def test_faults(instance_pool: InstancePool, server: FaultyServer, name: str) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))
    service = _SERVICES[name]
    closed = ReservedPort()

    def session(mta: Instance) -> None:
        said = mta.dialogue(
            "EHLO client.example", "MAIL FROM:<a@client.example>", f"RCPT TO:<{service.recipient}>", "DATA", b".\r\n", "QUIT"
        )
        assert not [reply for reply in said if "queued as" in reply], said

    def case(mta: Instance) -> None:
        for fault in FAULTS:
            if fault in service.left_out:
                continue
            server.set(fault, service.greeting, service.beginning)
            if fault in FAULTS[:2]:
                port = closed.number if fault == "down" else server.port
                mta.write_main(**{key: value.format(port=port) for key, value in service.main.items()})
                mta.reload()
            mta.transcript.append(f"== {fault}")
            session(mta)

    try:
        parity(case, main={"notify_classes": "", "smtpd_error_sleep_time": "0"}, replace={"smtpd": "pyfix"}, fresh=True)
    finally:
        closed.release()
