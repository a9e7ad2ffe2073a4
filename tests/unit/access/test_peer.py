from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pyfix.access import peer
from pyfix.access.transaction import NAME_FORGED, NAME_OK, NAME_PERMANENT, NAME_TEMPORARY
from pyfix.runtime.hostnames import HostLookupError
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now

NEVER = HostLookupError("Name or service not known", temporary=False)
LATER = HostLookupError("Temporary failure in name resolution", temporary=True)


class Clock:
    now = 100.0


def answer(monkeypatch: Any, name: str | Exception, addresses: Sequence[str] | Exception) -> list[str]:
    asked: list[str] = []

    async def name_of(address: str) -> str:
        asked.append(address)
        if isinstance(name, Exception):
            raise name
        return name

    async def addresses_of(host: str, _family: int) -> Sequence[str]:
        if isinstance(addresses, Exception):
            raise addresses
        return addresses

    monkeypatch.setattr(peer, "name_of", name_of)
    monkeypatch.setattr(peer, "addresses_of", addresses_of)
    monkeypatch.setattr(peer, "current", lambda: Clock)
    return asked


UNRESOLVED = "hostname a.example does not resolve to address 192.0.2.1"


@pytest.mark.parametrize(
    ("name", "addresses", "expected", "warning"),
    [
        ("a.example", ["192.0.2.1"], ("a.example", NAME_OK, "a.example", NAME_OK), ""),
        ("a.example", ["192.0.2.2"], ("unknown", NAME_FORGED, "a.example", NAME_OK), UNRESOLVED),
        ("a.example", NEVER, ("unknown", NAME_FORGED, "a.example", NAME_OK), f"{UNRESOLVED}: {NEVER}"),
        ("a.example", LATER, ("unknown", NAME_TEMPORARY, "a.example", NAME_OK), f"{UNRESOLVED}: {LATER}"),
        ("192.0.2.1", [], ("unknown", NAME_PERMANENT, "unknown", NAME_PERMANENT), "numeric hostname: 192.0.2.1"),
        ("a..b", [], ("unknown", NAME_PERMANENT, "unknown", NAME_PERMANENT), "valid_hostname: misplaced delimiter: a..b"),
        (NEVER, [], ("unknown", NAME_PERMANENT, "unknown", NAME_PERMANENT), ""),
        (LATER, [], ("unknown", NAME_TEMPORARY, "unknown", NAME_TEMPORARY), ""),
    ],
)
def test_names(
    monkeypatch: Any, name: Any, addresses: Any, expected: tuple[str, int, str, int], warning: str
) -> None:
    asked = answer(monkeypatch, name, addresses)
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    peers = peer.PeerNames(lookup=True, log_port=False)
    for _ in range(2):
        client = run_now(peers.client_at("192.0.2.1", "25", "192.0.2.9", "25"))
        assert (client.name, client.name_status, client.reverse_name, client.reverse_status) == expected
    # What may be different the next time is asked again; the log is told in any case.
    assert len(asked) == (2 if NAME_TEMPORARY in expected else 1)
    assert lines == ([warning] * 2 if warning else [])


def test_no_lookup(monkeypatch: Any) -> None:
    asked = answer(monkeypatch, "a.example", [])
    client = run_now(peer.PeerNames(lookup=False, log_port=True).client_at("::1", "25", "::1", "26"))
    assert (client.name, client.log_name, client.printed_address) == ("unknown", "unknown[::1]:25", "IPv6:::1")
    assert asked == []


def test_client_without_a_network() -> None:
    assert peer.local_client().log_name == "localhost[127.0.0.1]"
    assert peer.local_client(log_port=True).log_name == "localhost[127.0.0.1]:0"
