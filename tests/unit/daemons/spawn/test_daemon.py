"""spawn(8): a command for each client; parity is in tests/parity/spawn."""

from __future__ import annotations

import os

import pytest

from pyfix.config.errors import ConfigError
from pyfix.daemons.spawn import daemon as spawn
from pyfix.daemons.spawn.daemon import _attributes
from tests.unit.daemons.running import System, running


class _Settings:
    mail_owner = "nobody"


def test_many_clients_at_a_time(system: System) -> None:
    with running(spawn.main, system, "echo", "user=daemon", "argv=/bin/sh", "-c", "read x; echo got $x; exit 3") as daemon:
        clients = [daemon.connect() for _ in range(2)]
        for number, client in enumerate(clients):
            client.socket.sendall(f"{number}\n".encode())
            assert client.socket.recv(100) == f"got {number}\n".encode()
            client.close()
    system.logged("command /bin/sh exit status 3")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["argv=x"], "missing user="), (["user=daemon"], "missing argv="), (["flags=D"], "unknown attribute name: flags=D"),
        (["user=nosuchuser"], "unknown user name"), (["user=daemon:nosuchgroup"], "unknown group name"),
    ],
)  # fmt: skip
def test_faults(words: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        _attributes(words, _Settings())  # type: ignore[arg-type]  # a fake with what it needs


@pytest.mark.skipif(os.getuid() != 0, reason="without root the caller's rights are the only ones")
@pytest.mark.parametrize("user", ["root", "nobody", "daemon:root", "daemon:nogroup"])
def test_refused_rights(user: str) -> None:
    with pytest.raises(ConfigError, match="request to"):
        _attributes([f"user={user}", "argv=x"], _Settings())  # type: ignore[arg-type]  # a fake with what it needs
