from __future__ import annotations

import os
import socket
from pathlib import Path

from pyfix.runtime.servicemanager import ServiceManager


def test_what_it_hears(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "TZ": "UTC"}
        manager = ServiceManager.take_from(environment)
        assert environment == {"TZ": "UTC"}
        manager.ready()
        assert listener.recv(1000) == b"READY=1\nMAINPID=%d" % os.getpid()
        manager.reloading()
        assert listener.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        manager.stopping()
        assert listener.recv(1000) == b"STOPPING=1"


def test_an_abstract_name() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(b"\0pyfix-%d" % os.getpid())
        ServiceManager(f"@pyfix-{os.getpid()}").stopping()
        assert listener.recv(1000) == b"STOPPING=1"


def test_nobody_is_there(tmp_path: Path) -> None:
    ServiceManager.take_from({}).ready()
    ServiceManager(str(tmp_path / "gone")).ready()
