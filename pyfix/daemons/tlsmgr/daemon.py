"""tlsmgr(8): randomness, session caches and ticket keys for the daemons that speak TLS.

Source: tlsmgr(8); postconf(5) smtpd_tls_session_cache_database and its relatives.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Final

from pyfix.config.errors import ConfigError
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
from pyfix.tls.loglevel import parse_log_level

_MOST_SEED_BYTES: Final = 255
_WRITE_AFTER: Final = 1.0
"""Seconds between a change and the write that has it, when nobody ends us before."""
_SHORTEST_ROUND: Final = 1
"""Seconds between two looks for what is too old, however short sessions live."""


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
        levels = {
            "smtpd": settings.smtpd_tls_loglevel,
            "smtp": settings.smtp_tls_loglevel,
            "lmtp": settings.lmtp_tls_loglevel,
        }
        self._check_databases()
        self._caches = {
            kind: SessionCache(
                kind, database, self._timeouts[kind], snapshot, verbose=parse_log_level(levels[kind])[0].cache
            )
            for kind, database in self._databases.items()
            if database
        }
        self._writing = False
        """The next write is arranged."""
        self._inside = False
        """It happens now."""
        self._ending = False
        """Somebody wanted our end meanwhile."""
        self._tickets = TicketKeys(self._timeouts["smtpd"] // 2)

    def _check_databases(self) -> None:
        """Raise ConfigError for a table that is to have the sessions of two kinds."""
        kinds: dict[str, str] = {}
        for kind, database in self._databases.items():
            if database and (other := kinds.setdefault(database, kind)) != kind:
                first, second = (f"{name}_tls_session_cache_database" for name in (other, kind))
                raise ConfigError(f"do not use the same TLS cache file {database} for {first} and {second}")

    def started(self) -> None:
        """Read the tables, and look regularly for what is too old."""
        self._otherwise = signal.signal(signal.SIGTERM, self._terminated)
        for kind, cache in self._caches.items():
            cache.open()
            self._clean_up(kind)

    def stopping(self) -> None:
        """Write what the tables lack."""
        for cache in self._caches.values():
            cache.write()

    def _terminated(self, _number: int, _frame: FrameType | None) -> None:
        """Write before the end, as the reference has everything on the disk at any time."""
        if self._inside:
            self._ending = True
        else:
            self._end()

    def _end(self) -> None:
        self.stopping()
        signal.signal(signal.SIGTERM, self._otherwise)
        os.kill(os.getpid(), signal.SIGTERM)

    def _clean_up(self, kind: str) -> None:
        self._caches[kind].clean_up(int(time.time()))
        self._write_soon()
        self.loop.later(max(self._timeouts[kind], _SHORTEST_ROUND), lambda: self._clean_up(kind))

    def _write_soon(self) -> None:
        if not self._writing and any(cache.changed for cache in self._caches.values()):
            self._writing = True
            self.loop.later(_WRITE_AFTER, self._write)

    def _write(self) -> None:
        self._writing, self._inside = False, True
        for cache in self._caches.values():
            cache.write()
        self._inside = False
        if self._ending:
            self._end()

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Return the reply to any of the requests."""
        now = int(time.time())
        match request:
            case SeedRequest(size=size):
                if not 0 < size <= _MOST_SEED_BYTES:
                    log.warning(f'bogus seed length "{size}" in "seed" request')
                    return SeedReply(FAILED, b"")
                return SeedReply(OK, os.urandom(size))
            case PolicyRequest(cache_type=kind):
                if kind not in self._databases:
                    self._complain(kind, "policy")
                    return PolicyReply(FAILED, 0, 0)
                return PolicyReply(OK, int(kind in self._caches), self._timeouts[kind])
            case LookupRequest(cache_type=kind, cache_id=cache_id):
                if kind not in self._caches:
                    self._complain(kind, "lookup")
                    return LookupReply(FAILED, b"")
                session = self._caches[kind].find(cache_id, now)
                return LookupReply(ERROR, b"") if session is None else LookupReply(OK, session)
            case UpdateRequest(cache_type=kind, cache_id=cache_id, session=session):
                if kind not in self._caches:
                    self._complain(kind, "update")
                    return StatusReply(FAILED)
                self._caches[kind].save(cache_id, session, now)
                self._write_soon()
                return StatusReply(OK)
            case DeleteRequest(cache_type=kind, cache_id=cache_id):
                if kind not in self._caches:
                    self._complain(kind, "delete")
                    return StatusReply(FAILED)
                found = self._caches[kind].delete(cache_id)
                self._write_soon()
                return StatusReply(OK if found else ERROR)
            case TicketKeyRequest(keyname=name):
                key = self._tickets.named(name, now) if name else self._tickets.encrypting(now)
                return TicketKeyReply(ERROR, name) if key is None else TicketKeyReply(OK, key.encode())
        return self.refuse("")

    def _complain(self, kind: str, request: str) -> None:
        if kind not in self._databases:
            log.warning(f'bogus cache type "{kind}" in "{request}" request')

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
