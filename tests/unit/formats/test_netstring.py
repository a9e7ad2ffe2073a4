from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.netstring import NetstringError, NetstringTooLong, decode, encode


@given(st.binary(max_size=300), st.binary(max_size=5))
def test_what_is_encoded_is_decoded(data: bytes, more: bytes) -> None:
    whole = encode(data)
    assert decode(whole + more, 300) == (data, more)
    for cut in range(len(whole)):
        assert decode(whole[:cut], 300) is None


@pytest.mark.parametrize("bad", [b"x:", b"-1:,", b" 1:a,", b"3:abcd", b"1a", b"hello,"])
def test_no_netstring(bad: bytes) -> None:
    with pytest.raises(NetstringError, match="input format error"):
        decode(bad, 100)


def test_leading_zeros_and_no_length_at_all() -> None:
    assert decode(b"002:ab,", 100) == (b"ab", b"")
    assert decode(b":,", 100) == (b"", b"")


def test_too_long_is_known_before_the_end_of_the_length() -> None:
    assert decode(encode(b"x" * 10), 10) == (b"x" * 10, b"")
    for begin in (b"11:", b"101", b"9" * 5000):
        with pytest.raises(NetstringTooLong, match="input exceeds size limit"):
            decode(begin, 10)


@given(st.binary(max_size=50))
def test_any_bytes(data: bytes) -> None:
    try:
        found = decode(data, 20)
    except NetstringError:
        return
    assert found is None or len(found[0]) <= 20
