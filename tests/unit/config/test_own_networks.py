"""The host's addresses and what the default of mynetworks makes of them."""

from __future__ import annotations

import pytest

from pyfix.config import own_networks
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import OwnAddress, check_interfaces, default_networks, own_addresses, proxy_addresses
from pyfix.config.snapshot import Snapshot

HOST = [
    OwnAddress("127.0.0.1", 8),
    OwnAddress("192.0.2.2", 26),
    OwnAddress("::1", 128),
    OwnAddress("fd00::2", 64),
]


@pytest.fixture(autouse=True)
def known_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_networks, "_interface_addresses", lambda: iter(HOST))


@pytest.mark.parametrize(
    ("settings", "networks"),
    [
        ({"mynetworks_style": "host"}, "127.0.0.1/32 192.0.2.2/32 [::1]/128 [fd00::2]/128"),
        ({"mynetworks_style": "subnet"}, "127.0.0.0/8 192.0.2.0/26 [::1]/128 [fd00::]/64"),
        ({"mynetworks_style": "class"}, "127.0.0.0/8 192.0.2.0/24 [::1]/128 [fd00::]/64"),
        ({"compatibility_level": "2"}, "127.0.0.1/32 192.0.2.2/32 [::1]/128 [fd00::2]/128"),
        ({}, "127.0.0.0/8 192.0.2.0/26 [::1]/128 [fd00::]/64"),
        ({"inet_protocols": "ipv4"}, "127.0.0.0/8 192.0.2.0/26"),
        ({"inet_protocols": "ipv6"}, "[::1]/128 [fd00::]/64"),
        ({"inet_protocols": ""}, ""),
        ({"inet_interfaces": "loopback-only"}, "127.0.0.0/8 [::1]/128"),
        ({"inet_interfaces": "192.0.2.2, 127.0.0.1"}, "192.0.2.0/26 127.0.0.0/8"),
    ],
)
def test_default_networks(settings: dict[str, str], networks: str) -> None:
    assert Snapshot(settings).value("mynetworks") == networks


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"mynetworks_style": "foo"}, 'unknown mynetworks mask style value "foo" in "foo"'),
        ({"inet_protocols": "ipv4 foo"}, 'unknown inet_protocols value "foo" in "ipv4 foo"'),
        ({"inet_interfaces": "10.99.0.1"}, "parameter inet_interfaces: no local interface found for 10.99.0.1"),
        ({"inet_interfaces": "!foo"}, "config variable inet_interfaces: host not found: !foo"),
    ],
)
def test_bad_value(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        default_networks(Snapshot(settings))
    assert str(raised.value) == complaint


@pytest.mark.parametrize("value", ["", "all", " Loopback-Only"])
def test_what_every_host_has_needs_no_look(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.delattr("pyfix.config.own_networks._interface_addresses")
    check_interfaces(Snapshot({"inet_interfaces": value}))


def test_interface_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"no local interface found for 192\.0\.2\.1"):
        check_interfaces(Snapshot({"inet_interfaces": "127.0.0.1 192.0.2.1"}))


def test_proxy_addresses() -> None:
    assert proxy_addresses(Snapshot({"proxy_interfaces": "198.51.100.1 [2001:db8::1] 198.51.100.1"})) == (
        "198.51.100.1",
        "2001:db8::1",
    )


def test_the_kernel_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert "127.0.0.1" in [own.address for own in own_addresses(Snapshot({"inet_interfaces": "all"}))]
