"""Whole sessions, beside those of the reference, are in tests/parity/services/test_qmqpd.py."""

from __future__ import annotations

import pytest

from pyfix.daemons.qmqpd.daemon import _reply_to
from pyfix.formats import status as bits
from pyfix.protocols.internal.cleanup import Status


@pytest.mark.parametrize(
    ("status", "reason", "reply"),
    [
        (0, "", ("K", "Ok: queued as ABC")),
        (bits.WRITE, "", ("Z", "Error: queue file write error")),
        (bits.SIZE | bits.HOPS, "", ("D", "Error: message too large")),
        (bits.CONTENT, "5.7.1 no", ("D", "Error: 5.7.1 no")),
        (bits.BAD | bits.WRITE, "", ("Z", f"Error: internal error {bits.BAD | bits.WRITE}")),
        (bits.DEFER, "", ("Z", f"Error: internal error {bits.DEFER}")),
    ],
)
def test_what_cleanup_says(status: int, reason: str, reply: tuple[str, str]) -> None:
    assert _reply_to(Status(status, reason), "ABC") == reply
