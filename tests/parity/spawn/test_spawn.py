"""spawn(8): a command for each client; what it sees, and what the log says of its end.

Source: spawn(8); the log lines of the reference.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

SERVICES = {
    "echo": "user=nobody argv=/bin/cat",
    "words": "user=nobody argv=/bin/echo a {{ b c }} $recipient",
    "where": "user=nobody:daemon argv={dir}/etc/where",
    "status": "user=nobody argv=/bin/sh -c {{ read line; echo got $line; echo error >&2; exit 3 }}",
    "signal": "user=nobody argv=/bin/sh -c {{ echo x; kill -15 $$ }}",
    "nofile": "user=nobody argv=/no/such/file",
    "slow": "user=nobody argv=/bin/sleep 60",
    "one": "user=nobody argv=/bin/cat",
}
REFUSED = {
    "root": "user=root argv=/bin/cat", "owner": "user=postfix argv=/bin/cat", "nouser": "argv=/bin/cat",
    "noargv": "user=nobody", "nosuchuser": "user=nosuchuser argv=/bin/cat", "nosuchgroup": "user=nobody:nosuchgroup argv=/bin/cat",
    "attribute": "user=nobody flags=D argv=/bin/cat", "group0": "user=nobody:root argv=/bin/cat",
    "ownergroup": "user=nobody:postfix argv=/bin/cat",
}  # fmt: skip
MASTER: dict[str, str | None] = {
    name: f"{name} unix - n n - {1 if name == 'one' else '-'} spawn {words}" for name, words in (SERVICES | REFUSED).items()
}
FILES = {
    "where": "#!/bin/sh\nenv | sort\nid\npwd\numask\ngrep SigIgn /proc/self/status\nls -l /proc/self/fd | wc -l\n"
    "test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo leader\n"
}  # fmt: skip


@pytest.fixture
def spawned(instance_pool: InstancePool) -> Parity:
    requirements.need_reference("reference")
    return Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))


def _said(mta: Instance, service: str, text: bytes = b"hello\n") -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(mta.queue_directory / "private" / service))
        with suppress(BrokenPipeError):
            client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        received = b""
        with suppress(ConnectionResetError):
            while data := client.recv(65536):
                received += data
    return received.decode()


def _same(spawned: Parity, case: object) -> object:
    return spawned(
        case, master=MASTER, files=FILES, main={"slow_time_limit": "1s"}, replace={"spawn": "pyfix"}, logs="spawn"
    ).result  # type: ignore[arg-type]  # a case is a function


@pytest.mark.parametrize("service", ["echo", "words", "where", "status", "signal", "nofile", "slow"])
def test_commands(spawned: Parity, service: str) -> None:
    def case(mta: Instance) -> str:
        said = _said(mta, service)
        if service not in ("echo", "words", "where"):
            mta.wait_for_log(r"spawn\[\d+\]: warning: command ")
        return said

    _same(spawned, case)


@pytest.mark.parametrize("service", REFUSED)
def test_refused_attributes(spawned: Parity, service: str) -> None:
    """No command runs as root or as the mail system."""

    def case(mta: Instance) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(mta.queue_directory / "private" / service))
            mta.wait_for_log(r"spawn\[\d+\]: fatal: ")

    _same(spawned, case)


@pytest.mark.parametrize(("service", "both"), [("echo", True), ("one", False)])
def test_process_limit(spawned: Parity, service: str, both: bool) -> None:
    """A limit of processes in master.cf is one of commands."""

    def case(mta: Instance) -> bool:
        path = str(mta.queue_directory / "private" / service)
        with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
            for client in (first, second):
                client.settimeout(20 if both or client is first else 1)
                client.connect(path)
                client.sendall(b"x\n")
                try:
                    answered = client.recv(10) == b"x\n"
                except TimeoutError:
                    answered = False
            return answered

    assert _same(spawned, case) is both


def test_a_message_for_the_caller(spawned: Parity) -> None:
    """Standard error goes to the client, too."""

    def case(mta: Instance) -> bool:
        return bool(re.search("error", _said(mta, "status")))

    assert _same(spawned, case) is True
