from __future__ import annotations

import socket

import pytest

from pyfix.tables.endpoint import endpoint, inet_endpoint
from pyfix.tables.table import Opening, TableError

OPENING = Opening()


@pytest.mark.parametrize(
    ("text", "host", "service"),
    [
        ("127.0.0.1:25", "127.0.0.1", "25"), ("[::1]:25", "::1", "25"), ("[a.example]:x", "a.example", "x"), (":7", "", "7"),
        ("7", "", "7"), ("a_b.example.:7", "a_b.example.", "7"), ("::1:25", "::1", "25"),
    ],
)  # fmt: skip
def test_hosts(text: str, host: str, service: str) -> None:
    place = inet_endpoint(text, OPENING)
    assert (place.host, place.service, place.path) == (host, service, "")


@pytest.mark.parametrize("text", ["127.0.0.1", "a:", "[a:1", "[a]x", "-a:1", "a b:1", "[]:1", "inet:a:1", "a..b:1"])
def test_bad_hosts(text: str) -> None:
    with pytest.raises(TableError):
        inet_endpoint(text, OPENING)


def test_transports() -> None:
    assert endpoint("unix:/a:b", OPENING)[0].path == "/a:b"
    place, shown = endpoint("inet:a:1", OPENING)
    assert (place.host, shown) == ("a", "a:1")
    for bad in ("unix", "unix:", "foo:a:1", "a:1"):
        with pytest.raises(TableError):
            endpoint(bad, OPENING)


def test_families_are_those_of_inet_protocols() -> None:
    class Only4:
        def value(self, name: str) -> str:
            return "ipv4" if name == "inet_protocols" else ""

    assert inet_endpoint("a:1", Opening(Only4())).families == (int(socket.AF_INET),)
    assert inet_endpoint("a:1", OPENING).families == ()
