"""The sender of address verification probes: ADDRESS_VERIFICATION_README."""

from __future__ import annotations

from pyfix.config.parameter import duration, text
from pyfix.config.snapshot import Settings

__all__ = ["AddressProbeSettings"]


class AddressProbeSettings(Settings):
    """The sender of address verification probes: ADDRESS_VERIFICATION_README."""

    address_verify_sender = text("$double_bounce_sender")
    """The sender of address probes; empty: the null sender."""

    address_verify_sender_ttl = duration("0s")
    """Seconds after which the probes' sender changes; 0: never."""
