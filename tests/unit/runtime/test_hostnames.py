from __future__ import annotations

import socket
from typing import Any

import pytest

from pyfix.runtime import hostnames
from tests.unit.runtime.forked import on_loop


def test_addresses_and_names() -> None:
    async def test() -> object:
        return [await hostnames.addresses_of("127.0.0.1"), await hostnames.addresses_of("127.0.0.1", socket.AF_INET)]

    assert on_loop(test) == [["127.0.0.1"], ["127.0.0.1"]]


def test_a_name_with_a_null_byte() -> None:
    async def test() -> object:
        try:
            return await hostnames.addresses_of("a\0b")
        except hostnames.HostLookupError as error:
            return str(error)

    assert on_loop(test) == "Name or service not known"


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "again"), True),
        (socket.gaierror(socket.EAI_NONAME, "none"), False),
        (OSError(5, "broken"), True),
    ],
)
def test_failures(error: OSError, temporary: bool) -> None:
    async def test() -> object:
        def fail(*_: Any) -> Any:
            raise error

        socket.getaddrinfo = socket.getnameinfo = fail  # in a process of its own
        found: list[tuple[str, bool]] = []
        for call in (hostnames.addresses_of("a.example"), hostnames.name_of("192.0.2.1")):
            try:
                await call
            except hostnames.HostLookupError as failure:
                found.append((str(failure), failure.temporary))
        return found

    assert on_loop(test) == [(error.strerror, temporary)] * 2


@pytest.mark.parametrize(
    ("address", "plain"), [("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::1"), ("::1", "::1")]
)
def test_plain_addresses(address: str, plain: str) -> None:
    assert hostnames.plain_address(address) == plain
