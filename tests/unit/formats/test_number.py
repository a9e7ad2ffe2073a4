"""Numbers that somebody else wrote."""

from __future__ import annotations

import pytest

from pyfix.formats.number import in_32_bits, leading_number, whole_number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "1_0", "1.0", "\u0661", "\xb2", "x", "9" * 19, "9" * 5000])
def test_what_is_no_number(text: str) -> None:
    assert whole_number(text, 7) == 7
    assert whole_number(text.encode(), 7) == 7


def test_numbers() -> None:
    assert whole_number("0012") == 12
    assert whole_number(b"9" * 18) == 10**18 - 1


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", None), (b"x", None), (b"+", None), (b"- 1", None), (b"--1", None), (b"1", 1), (b" \t-12x", -12), (b"+5", 5), (b"010", 10),
        (b"0x10", 0), (b"9223372036854775807", 2**63 - 1), (b"9223372036854775808", 2**63 - 1), (b"-9223372036854775809", -(2**63)),
        (b"9" * 5000, 2**63 - 1), (b"0" * 30 + b"7", 7), (b"0", 0), (b"1\0002", 1),
    ],
)  # fmt: skip
def test_the_number_at_the_beginning(data: bytes, value: int | None) -> None:
    assert leading_number(data) == value


@pytest.mark.parametrize(
    ("value", "kept"), [(0, 0), (-1, -1), (2**31, -(2**31)), (2**32 + 4, 4), (2**63 - 1, -1), (-(2**63), 0), (2**31 - 1, 2**31 - 1)]
)
def test_what_is_left_in_32_bits(value: int, kept: int) -> None:
    assert in_32_bits(value) == kept
