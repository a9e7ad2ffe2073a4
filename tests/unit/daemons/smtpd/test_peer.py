from __future__ import annotations

import socket
from typing import Any

import pytest

from pyfix.access.transaction import NAME_FORGED, NAME_OK, NAME_PERMANENT, NAME_TEMPORARY
from pyfix.daemons.smtpd import peer


def answer(monkeypatch: Any, name: str | Exception, addresses: list[str] | Exception) -> None:
    def getnameinfo(_address: tuple[str, int], _flags: int) -> tuple[str, str]:
        if isinstance(name, Exception):
            raise name
        return name, "0"

    def getaddrinfo(_name: str, _port: None, type: int) -> list[Any]:
        if isinstance(addresses, Exception):
            raise addresses
        return [(socket.AF_INET, type, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getnameinfo", getnameinfo)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("name", "addresses", "expected"),
    [
        ("a.example", ["192.0.2.1"], ("a.example", NAME_OK, "a.example", NAME_OK)),
        ("a.example", ["::ffff:192.0.2.1"], ("a.example", NAME_OK, "a.example", NAME_OK)),
        ("a.example", ["192.0.2.2"], ("unknown", NAME_FORGED, "a.example", NAME_OK)),
        ("a.example", socket.gaierror(socket.EAI_AGAIN, "x"), ("unknown", NAME_TEMPORARY, "a.example", NAME_OK)),
        ("192.0.2.1", [], ("unknown", NAME_PERMANENT, "unknown", NAME_PERMANENT)),
        ("a..b", [], ("unknown", NAME_PERMANENT, "unknown", NAME_PERMANENT)),
        (socket.gaierror(socket.EAI_NONAME, "x"), [], ("unknown", NAME_PERMANENT, "unknown", NAME_PERMANENT)),
        (socket.gaierror(socket.EAI_AGAIN, "x"), [], ("unknown", NAME_TEMPORARY, "unknown", NAME_TEMPORARY)),
    ],
)
def test_names(monkeypatch: Any, name: Any, addresses: Any, expected: tuple[str, int, str, int]) -> None:
    answer(monkeypatch, name, addresses)
    assert peer._look_up("192.0.2.1") == expected


def test_client_without_a_network() -> None:
    assert peer.local_client().log_name == "localhost[127.0.0.1]"
    assert peer.local_client(log_port=True).log_name == "localhost[127.0.0.1]:0"
