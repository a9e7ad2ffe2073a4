"""The delays in the log line of a delivery."""

from __future__ import annotations

from typing import Final

from pyfix.protocols.internal.delivery import MessageStats

_MICROSECONDS: Final = 1_000_000
_USUAL: Final = 2


def format_delay(seconds: float, resolution: int = 2) -> str:
    """Return *seconds* with two significant digits, but no more than *resolution* places after the point.

    Whole numbers are kept whole, zeros at the end are left out.  Source: postconf(5) delay_logging_resolution_limit.
    """
    micros = int(seconds * _MICROSECONDS + 0.5)
    if resolution == _USUAL and 0 < micros < 10 * _MICROSECONDS:
        if micros < _MICROSECONDS:
            return _HUNDREDTHS[(micros + 5000) // 10000]
        return _TENTHS[(micros + 50000) // 100000]
    if micros <= 0:
        return "0"
    if micros >= 10 * _MICROSECONDS or resolution <= 0:
        return str((micros + 500_000) // _MICROSECONDS)
    digits = 1 if micros >= _MICROSECONDS else _places(micros)
    digits = min(digits, resolution)
    unit = 10 ** (6 - digits)
    rounded = (micros + unit // 2) // unit
    whole, part = divmod(rounded, 10**digits)
    if not part:
        return str(whole)
    return f"{whole}.{part:0{digits}d}".rstrip("0")


def _places(micros: int) -> int:
    """Return the places after the point that two significant digits of a fraction of a second need."""
    places = 2
    limit = 100_000
    while micros < limit and places < 6:
        limit //= 10
        places += 1
    return places


def format_delays(stats: MessageStats, resolution: int = 2) -> str:
    """Return ``delay=.., delays=a/b/c/d``: before qmgr, in qmgr, connection setup, transmission.

    *stats* must have its delivered time.
    """
    arrival, active, handoff, connected, delivered, _ = stats
    return format_times(arrival, active, handoff, connected, delivered, resolution)


def format_times(
    arrival: float, active: float, handoff: float, connected: float, delivered: float, resolution: int = 2
) -> str:
    """Return what format_delays does, for times that stand in no MessageStats."""
    started = handoff or active
    stages = [delivered - arrival, active - arrival, started - active, delivered - (connected or started)]
    if resolution == _USUAL and max(stages) < 1:
        # Each delivery passes here, and most take less than a second.
        whole, before, inside, sending = [
            _HUNDREDTHS[(int(stage * 1e6 + 0.5) + 5000) // 10000] if stage > 0 else "0" for stage in stages
        ]
    else:
        whole, before, inside, sending = [format_delay(stage, resolution) if stage > 0 else "0" for stage in stages]
    setup = format_delay(connected - started, resolution) if connected > started else "0"
    return f"delay={whole}, delays={before}/{inside}/{setup}/{sending}"


_HUNDREDTHS: Final = [f"{number / 100:.2f}".rstrip("0").rstrip(".") for number in range(101)]
_TENTHS: Final = [f"{number / 10:.1f}".removesuffix(".0") for number in range(101)]
