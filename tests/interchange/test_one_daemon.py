"""One daemon of the other side in an otherwise whole system, for each daemon, and mail flowing through it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest

from pyfix.formats.netstring import encode
from tests.kit import exercise
from tests.kit.instance import Instance
from tests.kit.peer import Peer
from tests.kit.ports import ReservedPort

DAEMONS = (
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "error",
    "flush",
    "lmtp",
    "local",
    "pickup",
    "pipe",
    "postlogd",
    "proxymap",
    "qmgr",
    "scache",
    "showq",
    "smtp",
    "smtpd",
    "spawn",
    "tlsmgr",
    "trivial-rewrite",
    "verify",
    "virtual",
)

MIXED_WITH_37 = exercise.MAIN | {"pyfix_internal_protocol": "3.7"}
"""The internal lists of 3.7 differ slightly from those of 3.11."""

pytestmark = pytest.mark.reference


def run(mta: Instance) -> None:
    with Peer() as peer:
        mta.write_main(transport_maps=exercise.transports(peer.port))
        mta.start()
        exercise.exercise(mta)
        exercise.relay(mta, peer)
        mta.stop()


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_pyfix_daemon_under_the_reference(new_instance: Callable[..., Instance], daemon: str) -> None:
    """The real master starts pyfix's daemon, and real daemons and commands talk with it."""
    run(new_instance("reference", main=exercise.MAIN, replace={daemon: "pyfix"}))


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_reference_daemon_under_pyfix(new_instance: Callable[..., Instance], daemon: str) -> None:
    """pyfix's master starts the real daemon, and pyfix's daemons and commands talk with it."""
    run(new_instance("pyfix", main=exercise.MAIN, replace={daemon: "reference"}))


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_pyfix_daemon_under_reference_37(new_instance: Callable[..., Instance], daemon: str) -> None:
    """The same with Postfix 3.7."""
    run(new_instance("reference37", main=MIXED_WITH_37, replace={daemon: "pyfix"}))


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_reference_37_daemon_under_pyfix(new_instance: Callable[..., Instance], daemon: str) -> None:
    """The same with Postfix 3.7."""
    run(new_instance("pyfix", main=MIXED_WITH_37, replace={daemon: "reference37"}))


OTHER_SIDES = [("reference", "pyfix"), ("pyfix", "reference"), ("reference37", "pyfix"), ("pyfix", "reference37")]


@pytest.mark.parametrize(("kind", "other"), OTHER_SIDES)
def test_oqmgr(new_instance: Callable[..., Instance], kind: str, other: str) -> None:
    """oqmgr(8) in the place of qmgr(8)."""
    main = MIXED_WITH_37 if "reference37" in (kind, other) else exercise.MAIN
    run(new_instance(kind, main=main, replace={"oqmgr": other}, master={"qmgr": "qmgr unix n - n 300 1 oqmgr"}))


@pytest.mark.parametrize(("kind", "other"), OTHER_SIDES)
def test_qmqpd(new_instance: Callable[..., Instance], kind: str, other: str) -> None:
    """A packet through qmqpd(8), to a mailbox, and one that is none."""
    main = {**(MIXED_WITH_37 if "reference37" in (kind, other) else exercise.MAIN), "qmqpd_authorized_clients": "127.0.0.1"}
    port = ReservedPort()
    try:
        line = f"127.0.0.1:{port.number} inet n - n - - qmqpd"
        mta = new_instance(kind, main=main, replace={"qmqpd": other}, master={"qmqp": line}).start()
        said = _qmqp(port.number, b"Subject: by QMQP\n\nx\n", b"sender@client.example", b"user@ours.example")
        queued = re.search(rb"K.*: queued as (\w+)", said)
        assert queued, said
        mta.wait_for_log(rf"{queued[1].decode()}: removed")
        assert b"Subject: by QMQP" in mta.deliveries()["user/"][0]
        assert b"Z" in _qmqp(port.number) or b"D" in _qmqp(port.number)
        mta.stop()
    finally:
        port.release()


def _qmqp(port: int, *parts: bytes) -> bytes:
    """Send a packet, or an empty netstring; return the reply."""
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(encode(b"".join(map(encode, parts))))
        reply = b""
        while more := client.recv(4096):
            reply += more
        return reply


@pytest.mark.parametrize("kind", ["reference", "reference37"])
def test_reference_alone(new_instance: Callable[..., Instance], kind: str) -> None:
    """The course itself is right: the reference alone passes it."""
    run(new_instance(kind, main=exercise.MAIN))


def test_pyfix_alone(new_instance: Callable[..., Instance]) -> None:
    run(new_instance("pyfix", main=exercise.MAIN))
