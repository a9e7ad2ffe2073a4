"""The library's steps through a handshake, for the log."""

from __future__ import annotations

from typing import Final

from pyfix.runtime.libssl import names
from pyfix.runtime.libssl.objects import Connection
from pyfix.runtime.log import log

__all__ = ["follow"]

_ALERTS: Final = {
    0: "close notify", 10: "unexpected message", 20: "bad record mac", 22: "record overflow", 40: "handshake failure",
    42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked", 45: "certificate expired",
    46: "certificate unknown", 47: "illegal parameter", 48: "unknown CA", 49: "access denied", 50: "decode error",
    51: "decrypt error", 70: "protocol version", 71: "insufficient security", 80: "internal error",
    86: "inappropriate fallback", 90: "user canceled", 100: "no renegotiation", 109: "missing extension",
    110: "unsupported extension", 112: "unrecognized name", 113: "bad certificate status response",
    115: "unknown PSK identity", 116: "certificate required", 120: "no application protocol",
}  # fmt: skip
"""OpenSSL's words for them (RFC 8446 section 6)."""


def follow(connection: Connection, where: int, result: int) -> None:
    """Log one step; a callback for Context.on_state."""
    side = "SSL_accept" if where & names.ST_ACCEPT else "SSL_connect" if where & names.ST_CONNECT else "unknown"
    if where & names.CB_LOOP:
        log.info(f"{side}:{connection.state}")
    elif where & names.CB_ALERT:
        direction = "read" if where & names.CB_READ else "write"
        level, code = result >> 8, result & 0xFF
        if code:  # the goodbye is none of a handshake
            kind = {1: "warning", 2: "fatal"}.get(level, "unknown")
            log.info(f"SSL3 alert {direction}:{kind}:{_ALERTS.get(code, 'unknown')}")
    elif where & names.CB_EXIT:
        if result == 0:
            log.info(f"{side}:failed in {connection.state}")
        elif result < 0 and not connection.waits_for_input:
            log.info(f"{side}:error in {connection.state}")
