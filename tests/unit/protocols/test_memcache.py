from __future__ import annotations

import pytest

from pyfix.protocols.memcache import delete_request, get_request, set_request, value_size


def test_requests() -> None:
    assert get_request(b"k") == b"get k\r\n"
    assert delete_request(b"k") == b"delete k\r\n"
    assert set_request(b"k", b"a\r\nb", 1, 60) == b"set k 1 60 4\r\na\r\nb\r\n"


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"VALUE k 0 4", 4), (b"VALUE k 0 4 77", 4), (b"VALUE k 0", None), (b"VALUE k 0 -1", None), (b"END", None), (b"", None),
        (b"VALUE  0 4", None),
    ],
)  # fmt: skip
def test_values_are_announced(line: bytes, size: int | None) -> None:
    assert value_size(line) == size
