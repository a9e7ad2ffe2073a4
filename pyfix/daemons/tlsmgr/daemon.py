"""tlsmgr(8): randomness, session caches and ticket keys for the daemons that speak TLS.

Source: tlsmgr(8); postconf(5) smtpd_tls_session_cache_database and its relatives.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from pyfix.config.parameters.tlsmgr import TlsmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.tlsmgr.sessions import SessionCache
from pyfix.daemons.tlsmgr.tickets import TicketKeys
from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal.tlsmgr import (
    ERROR,
    FAILED,
    OK,
    PROTOCOL,
    DeleteRequest,
    LookupReply,
    LookupRequest,
    PolicyReply,
    PolicyRequest,
    SeedReply,
    SeedRequest,
    StatusReply,
    TicketKeyReply,
    TicketKeyRequest,
    UpdateRequest,
)
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.log import log
from pyfix.runtime.requests import RequestDaemon
from pyfix.runtime.stream import Stream

_MOST_SEED_BYTES: Final = 255


class Tlsmgr(RequestDaemon):
    """Answers for the three kinds of TLS users: smtpd, smtp, lmtp."""

    program = "tlsmgr"
    process_limit = 1
    pinned = True
    PROTOCOL = PROTOCOL
    IGNORES_UNKNOWN = True
    REQUESTS = {  # noqa: RUF012  # a literal table of the class, never changed
        "seed": SeedRequest,
        "policy": PolicyRequest,
        "lookup": LookupRequest,
        "update": UpdateRequest,
        "delete": DeleteRequest,
        "tktkey": TicketKeyRequest,
    }

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        settings = TlsmgrSettings(snapshot)
        settings.check()
        self._databases = {
            "smtpd": settings.smtpd_tls_session_cache_database,
            "smtp": settings.smtp_tls_session_cache_database,
            "lmtp": settings.lmtp_tls_session_cache_database,
        }
        self._timeouts = {
            "smtpd": settings.smtpd_tls_session_cache_timeout,
            "smtp": settings.smtp_tls_session_cache_timeout,
            "lmtp": settings.lmtp_tls_session_cache_timeout,
        }
        self._caches = {
            kind: SessionCache(self._timeouts[kind]) for kind, database in self._databases.items() if database
        }
        self._tickets = TicketKeys(self._timeouts["smtpd"] // 2)

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Return the reply to any of the requests."""
        now = self.loop.now
        match request:
            case SeedRequest(size=size):
                if not 0 < size <= _MOST_SEED_BYTES:
                    log.warning(f'bogus seed length "{size}" in "seed" request')
                    return SeedReply(FAILED, b"")
                return SeedReply(OK, os.urandom(size))
            case PolicyRequest(cache_type=kind):
                if kind not in self._databases:
                    return PolicyReply(FAILED, 0, 0)
                return PolicyReply(OK, int(kind in self._caches), self._timeouts[kind])
            case LookupRequest(cache_type=kind, cache_id=cache_id):
                if kind not in self._caches:
                    return LookupReply(FAILED, b"")
                session = self._caches[kind].find(cache_id, now)
                return LookupReply(ERROR, b"") if session is None else LookupReply(OK, session)
            case UpdateRequest(cache_type=kind, cache_id=cache_id, session=session):
                if kind not in self._caches:
                    return StatusReply(FAILED)
                self._caches[kind].save(cache_id, session, now)
                return StatusReply(OK)
            case DeleteRequest(cache_type=kind, cache_id=cache_id):
                if kind not in self._caches:
                    return StatusReply(FAILED)
                return StatusReply(OK if self._caches[kind].delete(cache_id) else ERROR)
            case TicketKeyRequest(keyname=name):
                seconds = int(now)
                key = self._tickets.named(name, seconds) if name else self._tickets.encrypting(seconds)
                return TicketKeyReply(ERROR, name) if key is None else TicketKeyReply(OK, key.encode())
        return self.refuse("")

    def refuse(self, name: str) -> Attributes:
        """Return the reply to a malformed request, which has all that another reply has."""
        match name:
            case "seed":
                return SeedReply(FAILED, b"")
            case "policy":
                return PolicyReply(FAILED, 0, 0)
            case "lookup":
                return LookupReply(FAILED, b"")
            case "tktkey":
                return TicketKeyReply(FAILED, b"")
        return StatusReply(FAILED)


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Tlsmgr, argv)
