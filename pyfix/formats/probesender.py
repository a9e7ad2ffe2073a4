"""The sender of address verification probes, which may change with time.

Source: ADDRESS_VERIFICATION_README; postconf(5) address_verify_sender, address_verify_sender_ttl.  The stamp is the
number of the period, in digits of queue ids: verify(8) of either side makes it, and smtpd(8) of either side knows it.
"""

from __future__ import annotations

import re

from .queueid import digits, number

__all__ = ["current", "recognised"]

_BASE = 31


def _parts(sender: str, origin: str) -> tuple[str, str] | None:
    if not sender or sender == "<>":
        return None
    local, at, domain = sender.rpartition("@")
    return (local, domain) if at else (sender, origin)


def current(sender: str, origin: str, ttl: float, now: float) -> str:
    """Return the sender of a probe that leaves *now*; empty for the null sender.

    *sender* is address_verify_sender, completed with *origin*; *ttl* and *now* are in seconds.
    """
    parts = _parts(sender, origin)
    if parts is None:
        return ""
    local, domain = parts
    return f"{local}{digits(int(now // ttl), _BASE, 1) if ttl else ''}@{domain}"


def recognised(address: str, sender: str, origin: str, ttl: float, now: float) -> str | None:
    """Return the sender without its stamp when *address* is that of a probe of ours, or was or will be a moment ago."""
    parts = _parts(sender, origin)
    if parts is None:
        return None
    local, domain = parts
    found = re.fullmatch(f"{re.escape(local)}(.*)@{re.escape(domain)}", address, re.ASCII | re.DOTALL | re.IGNORECASE)
    if found is None:
        return None
    if not ttl:
        return f"{local}@{domain}" if not found[1] else None
    period = number(found[1], _BASE)
    return f"{local}@{domain}" if period is not None and abs(period - int(now // ttl)) <= 1 else None
