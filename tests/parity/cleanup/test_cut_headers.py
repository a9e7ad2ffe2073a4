"""Folded headers that are longer than header_size_limit: both cleanups cut them at the same place."""

from __future__ import annotations

import pytest

from .side import Compare
from .test_content import message

pytestmark = pytest.mark.reference


@pytest.mark.parametrize("limit", [41, 45, 100, 150])
def test_lines_that_begin_near_the_limit(compare: Compare, limit: int) -> None:
    """A line that begins in the last tenth is left out rather than cut."""
    for begin in range(limit * 9 // 10 - 1, limit + 2):
        for rest in (b"\n bbb\n c\n", b"\n " + b"b" * 20 + b"\n c\n"):
            compare(message(b"Subject: " + b"x" * (begin - 10) + rest + b"\nHi\n"), main={"header_size_limit": str(limit)})


@pytest.mark.parametrize("width", [30, 50, 66, 74, 75, 79, 80, 83, 95, 110])
def test_rewritten_headers(compare: Compare, width: int) -> None:
    for between in (b", ", b",\n "):
        words = [b"x" * width + b"@y.example", b"b" * (width // 2) + b"@c", b"c" * 50, b"d" * 40]
        compare(message(b"To: " + between.join(words) + b"\nX-A: b\n\nHi\n"), main={"header_size_limit": "100"})


ADDRESSES = [b"a", b"user", b"foo@bar.example", b"<x@y.example>", b"Full Name <b@c.example>", b'"q r" <d@e>', b"(c d) f", b"g: h, i;"]


@pytest.mark.parametrize("tokens", ["10240", "20", "7"])
@pytest.mark.parametrize("size", ["60", "150"])
def test_many_addresses(compare: Compare, tokens: str, size: str) -> None:
    for shift in range(len(ADDRESSES)):
        addresses = (ADDRESSES[shift:] + ADDRESSES[:shift]) * 2
        between = b",\n\t" if shift % 2 else b", "
        text = b"Reply-To: " + between.join(addresses) + b"\n\nHi\n"
        compare(message(text), main={"header_size_limit": size, "header_address_token_limit": tokens})
