from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.octetpattern import OctetPattern, PatternError


@pytest.mark.parametrize(
    ("pattern", "address", "matches"),
    [
        ("127.0.0.2", "127.0.0.2", True), ("127.0.0.2", "127.0.0.3", False), ("127.0.0.[2..4]", "127.0.0.4", True),
        ("127.0.0.[2..4]", "127.0.0.5", False), ("127.0.[0;9].[1;3..5;7]", "127.0.9.7", True),
        ("[0..255].0.0.1", "9.0.0.1", True), ("127.0.0.2", "::1", False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, address: str, matches: bool) -> None:
    assert OctetPattern(pattern).matches(address) is matches


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ("", "empty address pattern"), ("127.0.0", 'need "." at "127.0.0><"'),
        ("127.0.0.256", 'need decimal number 0..255 at "127.0.0.>256<"'), ("a", 'need decimal number 0..255 at ">a<"'),
        ("127.0.0.[4..2]", 'numeric range error at "127.0.0.[4..>2<]"'), ("127.0.0.[4", 'missing "]" character at "127.0.0.[4><"'),
        ("127.0.0.[4,5]", 'need ";" or "]" at "127.0.0.[4>,<5]"'), ("127.0.0.1.1", 'garbage after pattern at "127.0.0.1>.<1"'),
    ],
)  # fmt: skip
def test_errors(pattern: str, error: str) -> None:
    with pytest.raises(PatternError) as raised:
        OctetPattern(pattern)
    assert str(raised.value) == error


@given(st.text("0123456789.[];", max_size=20) | st.text(max_size=10))
def test_noise(text: str) -> None:
    try:
        assert OctetPattern(text).matches("127.0.0.2") in (True, False)
    except PatternError as error:
        assert str(error)
