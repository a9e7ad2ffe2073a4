"""What a service manager such as systemd hears of the mail system that it starts, as its unit has it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.kit.processes import wait_until
from tests.kit.site import Site

pytestmark = pytest.mark.root


def test_it_is_told(tmp_path: Path) -> None:
    """By ``postmulti -i - -p start``, in the background: ready means that mail is taken, and who is to be watched."""
    with Site("pyfix") as site, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        address = tmp_path / "notify"
        manager.bind(str(address))
        manager.settimeout(20)
        site.run("postmulti", "-e", "init")
        started = site.run("postmulti", "-i", "-", "-p", "start", environment={"NOTIFY_SOCKET": str(address)})
        assert started.returncode == 0, started
        pid = (site.queue_directory / "pid/master.pid").read_text().strip()
        manager.settimeout(1)  # it was told before the command ended
        assert manager.recv(1000) == f"READY=1\nMAINPID={pid}".encode()
        with socket.create_connection(("127.0.0.1", site.port), 10) as client:
            assert client.recv(1000).startswith(b"220 ")
        manager.settimeout(20)
        site.run("postfix", "reload")
        assert manager.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(1000) == f"READY=1\nMAINPID={pid}".encode()
        site.run("postfix", "stop")
        assert manager.recv(1000) == b"STOPPING=1"
        assert wait_until(lambda: not Path(f"/proc/{pid}").exists(), 10)
