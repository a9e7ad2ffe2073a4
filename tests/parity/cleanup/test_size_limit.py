"""Messages about as large as message_size_limit: both cleanups refuse the same ones, with the same lines."""

from __future__ import annotations

import pytest

from .side import Compare, record
from .test_content import message

pytestmark = pytest.mark.reference

END = record("X") + record("E")


def sized(head: int, body: int, late: int = 0) -> bytes:
    """Return a message with about as many bytes of header and body, and recipients after it."""
    text = message(b"Subject: x\n" + b"X-A: y\n" * (head // 8) + b"\n").removesuffix(END)
    text += record("N", "x" * 98) * (body // 100) + record("N", "y" * (body % 100))
    return text + record("X") + b"".join(record("R", f"late{number}@x.example") for number in range(late)) + record("E")


@pytest.mark.parametrize("limit", [1500, 6000, 20000])
@pytest.mark.parametrize("head", [0, 1000, 1400, 4096, 5000])
def test_around_the_limit(compare: Compare, limit: int, head: int) -> None:
    main = {"message_size_limit": str(limit)}
    refused = {
        compare(sized(head, max(0, limit - head + more), late), flags, main=main).reply.startswith(b"status\x004\0")
        for more in (-600, -500, -300, 0, 10, 4096, 9000)
        for late, flags in ((0, 2 | 4 | 16 | 32), (30, 4 | 16 | 32))
    }
    assert True in refused
