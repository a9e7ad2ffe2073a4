"""The sender of address verification probes, which may change with time.

Source: ADDRESS_VERIFICATION_README; postconf(5) address_verify_sender, address_verify_sender_ttl.
"""

from __future__ import annotations

import base64

__all__ = ["current", "recognised"]


def _parts(sender: str, origin: str) -> tuple[str, str] | None:
    if not sender or sender == "<>":
        return None
    local, at, domain = sender.rpartition("@")
    return (local, domain) if at else (sender, origin)


def _stamp(period: int) -> str:
    return base64.b32encode(period.to_bytes(8, "big").lstrip(b"\0")).decode().rstrip("=").lower()


def current(sender: str, origin: str, ttl: float, now: float) -> str:
    """Return the sender of a probe that leaves *now*; empty for the null sender.

    *sender* is address_verify_sender, completed with *origin*; *ttl* and *now* are in seconds.
    """
    parts = _parts(sender, origin)
    if parts is None:
        return ""
    local, domain = parts
    return f"{local}{_stamp(int(now // ttl)) if ttl else ''}@{domain}"


def recognised(address: str, sender: str, origin: str, ttl: float, now: float) -> str | None:
    """Return the sender without its stamp when *address* is that of a probe of ours, or was or will be a moment ago."""
    parts = _parts(sender, origin)
    if parts is None:
        return None
    local, domain = parts
    period = int(now // ttl) if ttl else 0
    stamps = [_stamp(one) for one in (period - 1, period, period + 1)] if ttl else [""]
    if any(address.lower() == f"{local}{stamp}@{domain}".lower() for stamp in stamps):
        return f"{local}@{domain}"
    return None
