from __future__ import annotations

import pytest

from pyfix.daemons.verify.cache import KnownAddress, is_expired


@pytest.mark.parametrize("known", [KnownAddress(0, 1, 2, "text: with colons"), KnownAddress(3, 0, 0, "")])
def test_what_is_written_is_read(known: KnownAddress) -> None:
    assert KnownAddress.decode(known.encode()) == known


@pytest.mark.parametrize("value", ["", "0:1:2", "x:1:2:text", "0:1:y:text"])
def test_damaged_values(value: str) -> None:
    assert KnownAddress.decode(value) is None


@pytest.mark.parametrize(
    ("known", "now", "expired"),
    [
        (KnownAddress(0, 0, 100, ""), 1100, False),
        (KnownAddress(0, 0, 100, ""), 1101, True),
        (KnownAddress(2, 0, 100, ""), 110, False),
        (KnownAddress(2, 0, 100, ""), 111, True),
        (KnownAddress(3, 100, 0, ""), 110, False),
        (KnownAddress(3, 100, 0, ""), 111, True),
    ],
)
def test_expiry(known: KnownAddress, now: int, expired: bool) -> None:
    assert is_expired(known, now, 1000, 10) is expired
