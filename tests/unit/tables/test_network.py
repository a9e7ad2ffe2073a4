import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tables.network import NetworkError, packed_address, parse_network


@given(st.ip_addresses())
def test_addresses(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert packed_address(str(address)) == address.packed
    size, mask, network = parse_network(str(address))
    assert (size, mask, network) == (len(address.packed), (1 << 8 * size) - 1, int(address))


@given(st.ip_addresses(), st.integers(0, 128))
def test_networks(address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int) -> None:
    length = min(length, address.max_prefixlen)
    network = ipaddress.ip_network((address, length), strict=False)
    _, mask, start = parse_network(str(network))
    assert (mask, start) == (int(network.netmask), int(network.network_address))


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4.5", "x", ":", "1.2.3.256", "1.2.3.4\0", "\udcff"])
def test_what_is_no_address(text: str) -> None:
    assert packed_address(text) is None
    with pytest.raises(NetworkError):
        parse_network(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.2.3.0/33", 'bad mask length in "1.2.3.0/33"'),
        ("1.2.3.0/x", 'bad mask value in "1.2.3.0/x"'),
        ("1.2.3.0/", 'bad mask value in "1.2.3.0/"'),
        ("foo/8", 'bad network value in "foo/8"'),
        ("[::1", "missing ']' character after \"[::1\""),
        ("[::1]x", 'garbage after "[::1]"'),
        (
            "1.2.3.1/24",
            'non-null host address bits in "1.2.3.1/24", perhaps you should use "1.2.3.0/24" instead',
        ),
        (
            "2001:db8::1/32",
            'non-null host address bits in "2001:db8::1/32", perhaps you should use "2001:db8::/32" instead',
        ),
    ],
)
def test_complaints(text: str, why: str) -> None:
    with pytest.raises(NetworkError) as raised:
        parse_network(text)
    assert str(raised.value) == why


def test_brackets() -> None:
    assert parse_network("[::1]/128") == parse_network("::1")
