"""How long connections between daemons live.  Source: postconf(5) ipc_timeout, ipc_idle, ipc_ttl."""

from __future__ import annotations

import os
import socket
import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]


def sockets(mta: Instance, program: str) -> set[str]:
    """Return the sockets that the one process of a program has open."""
    (pid,) = mta.pids_of(program)
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:  # closed just now
            continue
    return {name for name in found if name.startswith("socket:")}


@pytest.mark.parametrize("service", ["public/cleanup", "private/bounce"])
def test_client_that_says_nothing(parity: Parity, service: str) -> None:
    """It is hung up on after ipc_timeout."""

    def case(mta: Instance) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(40.0)
            client.connect(str(mta.queue_directory / service))
            begin = time.monotonic()
            while client.recv(4096):
                pass
            return time.monotonic() - begin > 0.9

    parity(case, main={"ipc_timeout": "1s"})


@pytest.mark.parametrize("service", ["rewrite", "anvil", "verify", "proxymap"])
def test_client_that_is_silent_between_requests(parity: Parity, service: str) -> None:
    """It may be, for longer than ipc_timeout."""

    def case(mta: Instance) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2.5)
            client.connect(str(mta.queue_directory / "private" / service))
            client.recv(4096)
            try:
                return bool(client.recv(4096))
            except TimeoutError:
                return True

    assert parity(case, main={"ipc_timeout": "1s"}).result is True


@pytest.mark.parametrize("limits", [("2s", "1000s"), ("100s", "2s")])
def test_idle_connection(parity: Parity, limits: tuple[str, str]) -> None:
    """qmgr's and cleanup's to trivial-rewrite are given up after ipc_idle, or ipc_ttl if that is over before."""

    def case(mta: Instance) -> bool:
        mta.wait_for_log(rf"{mta.send_message()}: removed")
        before = len(sockets(mta, "trivial-rewrite"))
        return wait_until(lambda: len(sockets(mta, "trivial-rewrite")) <= before - 2, 5.0)

    main = {"ipc_idle": limits[0], "ipc_ttl": limits[1], "max_idle": "100s"}
    assert parity(case, main=main, fresh=True).result is True


def test_connection_that_is_never_idle(parity: Parity) -> None:
    """It is replaced when it is ipc_ttl old, however much it is used."""

    def case(mta: Instance) -> bool:
        mta.wait_for_log(rf"{mta.send_message()}: removed")
        before = sockets(mta, "trivial-rewrite") - sockets(mta, "master")
        listeners = {name for name in before if _is_listening(name)}
        end = time.monotonic() + 5.0
        while (left := sockets(mta, "trivial-rewrite") & before - listeners) and time.monotonic() < end:
            mta.send_message()
            time.sleep(0.2)
        # To the log, and to master: what lives as long as the process.
        return len(left) <= 2 and bool(before - listeners - left)

    assert parity(case, main={"ipc_idle": "100s", "ipc_ttl": "2s", "max_idle": "100s"}, fresh=True).result is True


def _is_listening(name: str) -> bool:
    inode = name.removeprefix("socket:[").removesuffix("]")
    with open("/proc/net/unix", encoding="ascii", errors="replace") as table:
        return any(fields[6] == inode and fields[3] == "00010000" for line in table if len(fields := line.split()) > 6)
