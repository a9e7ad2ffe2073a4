"""Session tickets of a server, sealed with keys of tlsmgr(8), so that all processes of a machine open them.

Source: RFC 5077 section 4; postconf(5) tls_session_ticket_cipher, smtpd_tls_session_cache_timeout;
SSL_CTX_set_tlsext_ticket_key_evp_cb(3ssl).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

from pyfix.clients.tlsmgr import TlsManager
from pyfix.formats.ticketkey import NAME_BYTES, TicketKey
from pyfix.runtime.libssl.library import ffi, lib
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.log import log
from pyfix.tls.verification import Verification

__all__ = ["TICKET_CIPHERS", "Tickets"]

TICKET_CIPHERS: Final = ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc")
_VECTOR: Final = 16
_FAILED, _NO_KEY, _DONE, _DONE_AND_RENEW = -1, 0, 1, 2
_UTF8_TEXT: Final = 4
_OCTETS: Final = 5
"""Kinds of OSSL_PARAM(3ssl)."""


class Tickets:
    """Seals and opens tickets with keys that were fetched before the handshake, which cannot wait for them."""

    def __init__(self, manager: TlsManager, cipher: str) -> None:
        """*cipher*: tls_session_ticket_cipher, one of TICKET_CIPHERS."""
        self._manager: Final = manager
        self._cipher: Final = lib.EVP_get_cipherbyname(cipher.lower().encode())
        self._lifetime = 0
        self._current: TicketKey | None = None
        self._older: TicketKey | None = None
        """The one before, which opens what it has sealed."""

    def serve(self, context: Context, lifetime: int) -> None:
        """Be asked by the handshakes of *context*; tickets are good for *lifetime* seconds."""
        self._lifetime = lifetime
        context.on_ticket(self._choose)
        lib.SSL_CTX_set_num_tickets(context.handle, 1)

    async def prepare(self) -> bool:
        """Have the key for new tickets at hand; tell whether there is one."""
        if self._current is None or self._current.expires <= time.time():
            found = await self._manager.ticket_key()
            if found is not None:
                self._remember(found)
        return self._current is not None

    async def prepare_for(self, tickets: Iterable[bytes]) -> None:
        """Have the keys of tickets that a client has brought at hand, where tlsmgr has them."""
        for name in {ticket[:NAME_BYTES] for ticket in tickets if len(ticket) > NAME_BYTES}:
            if self._named(name) is None and (found := await self._manager.ticket_key(name)) is not None:
                self._remember(found)

    def _remember(self, key: TicketKey) -> None:
        if self._current is None or key.expires >= self._current.expires:
            if self._current is not None and self._current.name != key.name:
                self._older = self._current
            self._current = key
        else:
            self._older = key

    def _named(self, name: bytes) -> TicketKey | None:
        now = time.time()
        for key in (self._current, self._older):
            if key is not None and key.name == name and key.expires + self._lifetime > now:
                return key
        return None

    def _choose(self, connection: Connection, name: Any, vector: Any, cipher: Any, mac: Any, makes: bool) -> int:
        """Answer the library: seal a new ticket (*makes*), or open one whose key has that name."""
        key = self._current if makes else self._named(ffi.buffer(name, NAME_BYTES)[:])
        if key is None:
            return _NO_KEY
        if makes:
            ffi.memmove(name, key.name, NAME_BYTES)
            if lib.RAND_bytes(vector, _VECTOR) != 1:
                return _FAILED
        state = connection.data
        if isinstance(state, Verification) and not makes:
            state.by_ticket = True
        if isinstance(state, Verification) and state.level.cache:
            verb = "Issuing" if makes else "Decrypting"
            log.info(f"{state.peer}: {verb} session ticket, key expiration: {key.expires}")
        ready = lib.EVP_CipherInit_ex(cipher, self._cipher, ffi.NULL, key.cipher_key, vector, int(makes))
        if ready != 1 or not _set_mac(mac, key.mac_key):
            return _FAILED
        return _DONE if makes or key.expires > time.time() else _DONE_AND_RENEW


def _set_mac(mac: Any, key: bytes) -> bool:
    """Let the library authenticate with HMAC and SHA-256."""
    secret, digest = ffi.new("char[]", key), ffi.new("char[]", b"sha256")
    names = ffi.new("char[]", b"key"), ffi.new("char[]", b"digest")
    parameters = ffi.new("OSSL_PARAM[3]")  # the third, empty, ends the list
    parameters[0].key, parameters[0].data_type = names[0], _OCTETS
    parameters[0].data, parameters[0].data_size = secret, len(key)
    parameters[1].key, parameters[1].data_type = names[1], _UTF8_TEXT
    parameters[1].data, parameters[1].data_size = digest, len(b"sha256")
    return bool(lib.EVP_MAC_CTX_set_params(mac, parameters) == 1)
