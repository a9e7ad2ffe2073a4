from __future__ import annotations

import pytest

from pyfix.delivery.delays import format_delay, format_delays
from pyfix.protocols.internal.delivery import MessageStats

# Observed with the reference's discard(8), which was given these differences of times.
OBSERVED = """0 0, 0.0004 0, 0.004 0, 0.0049 0, 0.005 0.01, 0.0051 0.01, 0.0149 0.01, 0.015 0.02, 0.0951 0.1,
0.0999 0.1, 0.1 0.1, 0.104 0.1, 0.105 0.11, 0.994 0.99, 0.996 1, 0.999 1, 1.0 1, 1.04 1, 1.06 1.1, 1.94 1.9,
1.95 2, 1.96 2, 9.94 9.9, 9.95 10, 9.96 10, 10.4 10, 10.5 11, 10.6 11, 99.4 99, 99.5 100,
99.6 100, 100.5 101, 123.4 123, 1234.6 1235,
0.3 0.3, 0.30049 0.3"""


@pytest.mark.parametrize(("seconds", "text"), [pair.split() for pair in OBSERVED.split(",")])
def test_two_significant_digits(seconds: str, text: str) -> None:
    assert format_delay(float(seconds)) == text


def test_resolution() -> None:
    assert format_delay(0.012345, 3) == "0.012"
    assert format_delay(0.0012345, 6) == "0.0012"
    assert format_delay(1.26, 0) == "1"
    assert format_delay(-0.0, 2) == "0"


def test_stages() -> None:
    assert format_delays(MessageStats(100.0, 100.5, 101.0, 0.0, 103.0)) == "delay=3, delays=0.5/0.5/0/2"
    assert format_delays(MessageStats(100.0, 100.5, 101.0, 101.25, 103.0)) == "delay=3, delays=0.5/0.5/0.25/1.8"
    assert format_delays(MessageStats(100.0, 90.0, 80.0, 70.0, 60.0)) == "delay=0, delays=0/0/0/0"
