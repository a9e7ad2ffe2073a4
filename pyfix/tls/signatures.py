"""Which signatures a handshake had: OpenSSL tells it by the messages that it shows.

Source: RFC 8446 sections 4.2.3 (SignatureScheme) and 4.4.3 (CertificateVerify).
"""

from __future__ import annotations

from typing import Any, Final

from pyfix.runtime.libssl.library import ffi
from pyfix.runtime.libssl.objects import Connection, Context

__all__ = ["Signatures"]


_HANDSHAKE: Final = 22
_CERTIFICATE_VERIFY: Final = 15
_TLS13: Final = 0x0304
_DIGESTS: Final = {
    0x0401: "SHA256", 0x0501: "SHA384", 0x0601: "SHA512", 0x0403: "SHA256", 0x0503: "SHA384", 0x0603: "SHA512",
    0x0804: "SHA256", 0x0805: "SHA384", 0x0806: "SHA512", 0x0809: "SHA256", 0x080A: "SHA384", 0x080B: "SHA512",
    0x0807: "", 0x0808: "",
}  # fmt: skip


class Signatures:
    """Watches the handshakes of one context."""

    def __init__(self, context: Context) -> None:
        self._seen: dict[int, dict[bool, int]] = {}
        """By handshake (the address of OpenSSL's object): the scheme that we used (True) and the peer's."""
        context.on_message(self._see)

    def _see(self, ours: int, version: int, kind: int, content: Any, size: int, ssl: Any, _argument: Any) -> None:
        if kind != _HANDSHAKE or version != _TLS13 or size < 6:
            return
        head = ffi.buffer(content, 6)[:]
        if head[0] == _CERTIFICATE_VERIFY:
            self._seen.setdefault(int(ffi.cast("uintptr_t", ssl)), {})[bool(ours)] = int.from_bytes(head[4:6], "big")

    def take(self, connection: Connection) -> tuple[str | None, str | None]:
        """Return the digests of our signature and the peer's, None where there was no signature; forget them."""
        seen = self._seen.pop(connection.address, {})
        return _digest(seen.get(True)), _digest(seen.get(False))


def _digest(scheme: int | None) -> str | None:
    return None if scheme is None else _DIGESTS.get(scheme, "")
