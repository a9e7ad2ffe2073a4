"""Headers one by one; what comes of them in a session, beside the reference's, is in tests/parity/smtpd."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.haproxy import Endpoints, Header, ProxyHeaderError, parse_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.8") + struct.pack("!HH", 1234, 25)
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + struct.pack("!HH", 1234, 25)
ENDPOINTS = Endpoints("192.0.2.7", "1234", "192.0.2.8", "25")


def binary(command: int, family: int, data: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(data)) + data


@pytest.mark.parametrize(
    ("data", "endpoints", "rest"),
    [
        (b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\n", ENDPOINTS, b""),
        (b"PROXY tcp4  192.0.2.7 192.0.2.08 1234 25 x\nEHLO", ENDPOINTS, b"EHLO"),
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", Endpoints("192.0.2.7", "1", "::1", "2"), b""),
        (binary(0x21, 0x11, V4) + b"EHLO", ENDPOINTS, b"EHLO"),
        (binary(0x21, 0x11, V4 + b"more"), ENDPOINTS, b""),
        (binary(0x21, 0x21, V6), Endpoints("2001:db8::7", "1234", "2001:db8::7", "25"), b""),
        (binary(0x20, 0x11, V4) + b"x", None, b"x"),
        (binary(0x20, 0, b""), None, b""),
    ],
)
def test_good_headers(data: bytes, endpoints: Endpoints | None, rest: bytes) -> None:
    assert parse_header(data) == Header(endpoints, len(data) - len(rest))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PROXY UNKNOWN\r\n", "bad or missing protocol type"), (b"PROXY TCP4", "missing protocol header terminator"),
        (b"PROXY TCP4 ::1 ::1 1 2\n", "bad or missing client address"), (b"PROXY TCP4 1.2.3.4 x 1 2\n", "bad or missing server address"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\n", "bad or missing client port"), (b"PROXY TCP4 1.2.3.4 1.2.3.4 1\n", "bad or missing server port"),
        (b"EHLO x\r\n", "short protocol header"), (b"EHLO " + b"x" * 20, "unrecognized protocol header"),
        (binary(0x31, 0x11, V4), "unrecognized protocol version"), (binary(0x21, 0x11, V4)[:-1], "short version 2 protocol header"),
        (binary(0x22, 0x11, V4), "bad command in proxy header"), (binary(0x21, 0x31, V4), "unsupported network protocol"),
        (binary(0x21, 0x21, V4), "short address field"),
    ],
)  # fmt: skip
def test_bad_headers(data: bytes, reason: str) -> None:
    with pytest.raises(ProxyHeaderError, match=f"^{reason}$"):
        parse_header(data)


def test_protocols_that_are_off() -> None:
    for data, reason in (
        (b"PROXY TCP6 ::1 ::1 1 2\n", "bad or missing protocol type"), (binary(0x21, 0x21, V6), "Postfix IPv6 support is disabled"),
    ):  # fmt: skip
        with pytest.raises(ProxyHeaderError, match=reason):
            parse_header(data, ipv6=False)
    with pytest.raises(ProxyHeaderError, match="Postfix IPv4 support is disabled"):
        parse_header(binary(0x21, 0x11, V4), ipv4=False)


GOOD = [binary(0x21, 0x11, V4), binary(0x21, 0x21, V6), b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\n"]


@given(
    st.binary(max_size=600)
    | st.builds(
        lambda head, tail: head + tail, st.sampled_from([SIGNATURE, b"PROXY ", b"PROXY TCP6 "]), st.binary(max_size=60)
    )
)
def test_noise(data: bytes) -> None:
    check(data)


@given(
    st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4), st.integers(0, 80)
)
def test_damage(header: bytes, changes: list[tuple[int, int]], size: int) -> None:
    data = bytearray(header)
    for position, value in changes:
        data[position % len(data)] = value
    check(bytes(data[:size]))


def check(data: bytes) -> None:
    """Whatever is taken for a header has addresses and ports that are some."""
    try:
        header = parse_header(data)
    except ProxyHeaderError:
        return
    assert 0 < header.size <= len(data)
    if header.endpoints is not None:
        for address, port in (header.endpoints[:2], header.endpoints[2:]):
            socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            assert 0 <= int(port) <= 65535
