"""The messages of public/cleanup."""

from __future__ import annotations

from pyfix.protocols.internal.cleanup import BCC_OK, BOUNCE, FILTER, MAP_OK, MILTER, Flags, Status


def test_flags_are_the_ones_of_postfix() -> None:
    assert Flags(flags=BOUNCE | FILTER | BCC_OK | MAP_OK | MILTER).encode() == b"flags\x00115\0\0"


def test_status() -> None:
    assert Status(status=0, reason="").encode() == b"status\x000\x00reason\0\0\0"
    assert Status.decode(b"status\x008\x00reason\x005.7.1 no\0\0") == Status(8, "5.7.1 no")
