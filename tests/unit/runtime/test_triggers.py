"""Daemons that are woken by a few bytes: through a socket, at once or late, and through a FIFO."""

from __future__ import annotations

import os

from pyfix.runtime.log import log
from pyfix.runtime.triggers import TriggerDaemon
from tests.unit.daemons.running import Running, System, running
from tests.unit.runtime.test_daemon import main_of


class Woken(TriggerDaemon):
    """Logs what it is woken with."""

    program = "woken"

    def triggered(self, requests: bytes) -> None:
        log.info(f"woken {sorted(requests.decode())}")


def trigger(daemon: Running, data: bytes) -> None:
    client = daemon.connect()
    client.socket.sendall(data)
    client.close()


def test_triggers(system: System) -> None:
    with running(main_of(Woken), system, "woken") as daemon:
        trigger(daemon, b"WI")
        assert "woken: woken ['I', 'W']" in system.logged("woken ")
        daemon.connect().close()
        late = daemon.connect()
        trigger(daemon, b"A")
        system.logged(r"\['A'\]")
        late.socket.sendall(b"Z")
        system.logged(r"\['Z'\]")


def test_triggers_by_a_fifo(system: System) -> None:
    with running(main_of(Woken), system, "woken", kind="fifo"):
        for letter in (b"A", b"B"):
            fd = os.open(system.folder / "listener", os.O_WRONLY)
            os.write(fd, letter)
            os.close(fd)
            system.logged(f"{letter.decode()}'")
