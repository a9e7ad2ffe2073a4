from __future__ import annotations

import socket

import pytest

from pyfix.daemons.local.biff import Biff
from pyfix.runtime.log import log


def test_a_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as comsat:
        comsat.bind(("127.0.0.1", 0))
        comsat.settimeout(10)
        monkeypatch.setattr(socket, "getservbyname", lambda *_: comsat.getsockname()[1])
        biff = Biff()
        biff.notify("games", 317)
        assert comsat.recv(100) == b"games@317\0"


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as comsat:
        comsat.bind(("127.0.0.1", 0))
        monkeypatch.setattr(socket, "getservbyname", lambda *_: comsat.getsockname()[1])
        biff = Biff()
    for _ in range(3):
        biff.notify("games", 0)


def test_no_such_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: str) -> int:
        raise OSError("service/proto not found")

    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    monkeypatch.setattr(socket, "getservbyname", fail)
    Biff().notify("games", 0)
    assert lines == ["service not found: biff/udp"]
