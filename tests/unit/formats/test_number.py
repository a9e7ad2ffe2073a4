"""Numbers that somebody else wrote."""

from __future__ import annotations

import pytest

from pyfix.formats.number import whole_number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "1_0", "1.0", "\u0661", "\xb2", "x", "9" * 19, "9" * 5000])
def test_what_is_no_number(text: str) -> None:
    assert whole_number(text, 7) == 7
    assert whole_number(text.encode(), 7) == 7


def test_numbers() -> None:
    assert whole_number("0012") == 12
    assert whole_number(b"9" * 18) == 10**18 - 1
