"""verify(8): remember which addresses are deliverable, and send probes for those that are not known.

Source: verify(8); postconf(5) address_verify_map and the other address_verify parameters.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Final

from pyfix.clients.internalmail import send_internal
from pyfix.config.parameters.verify import VerifySettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.verify.cache import AddressCache, KnownAddress, is_expired
from pyfix.formats import probesender
from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal.cleanup import AUTO_UTF8
from pyfix.protocols.internal.delivery import MTA_VERIFY
from pyfix.protocols.internal.verify import (
    BAD,
    OK,
    PROTOCOL,
    RECIPIENT_BOUNCED,
    RECIPIENT_DEFERRED,
    RECIPIENT_OK,
    RECIPIENT_UNKNOWN,
    Query,
    QueryReply,
    StatusReply,
    Update,
)
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.requests import RequestDaemon
from pyfix.runtime.stream import Stream

_PROBE_LIFETIME: Final = 1000
"""Seconds after which a probe without a result is sent again."""
_SOONEST: Final = 0.1
_LATEST: Final = 30.0
"""Seconds between a change and the write that has it, when nobody ends us before."""
_SHARE: Final = 0.02
"""What part of the time may go into writing, as the whole table is written."""
_RESULTS: Final = (RECIPIENT_OK, RECIPIENT_DEFERRED, RECIPIENT_BOUNCED)
"""What a probe can find out."""
_IN_PROGRESS: Final = "Address verification in progress"


class Verify(RequestDaemon):
    """Answers at once from the cache; probes find out the rest."""

    program = "verify"
    process_limit = 1
    PROTOCOL = PROTOCOL
    DROPS_MALFORMED = DROPS_NAMELESS = True
    REQUESTS = {"query": Query, "update": Update}  # noqa: RUF012  # a literal table of the class, never changed

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = VerifySettings(snapshot)
        self.settings.check()
        self._cache: AddressCache
        self._planned = False
        self._writing = False
        self._ending = False
        self._delay = _SOONEST

    def started(self) -> None:
        """Open the cache with the rights that it has when it is written, and clean it now and then."""
        self._cache = AddressCache(self.settings.address_verify_map, self.snapshot)
        self._otherwise = signal.signal(signal.SIGTERM, self._terminated)
        if self.settings.address_verify_map and self.settings.address_verify_cache_cleanup_interval:
            self._clean()

    def stopping(self) -> None:
        """Write what is not on the disk yet."""
        self._cache.write(int(time.time()))

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Tell what is known, or take what was found out."""
        match request:
            case Query(address=address):
                return self._query(address)
            case Update(address=address, recipient_status=status, reason=reason) if status in _RESULTS:
                self._update(address, status, reason)
                return StatusReply(OK)
        return self.refuse("")

    def refuse(self, name: str) -> Attributes:
        """Return the status of a request that we do not know."""
        return StatusReply(BAD)

    def _query(self, address: str) -> QueryReply:
        settings = self.settings
        now = int(time.time())
        known = self._cache.find(address)
        if known is None or is_expired(
            known, now, settings.address_verify_positive_expire_time, settings.address_verify_negative_expire_time
        ):
            known = KnownAddress(RECIPIENT_UNKNOWN, 0, 0, _IN_PROGRESS)
            due = True
        elif known.status == RECIPIENT_OK:
            due = known.updated + settings.address_verify_positive_refresh_time < now
        elif known.status == RECIPIENT_UNKNOWN:
            due = True
        else:
            due = known.updated + settings.address_verify_negative_refresh_time < now
        if due and known.probed + _PROBE_LIFETIME < now:
            self.see_through(self._probe(address))
            if known.updated or settings.address_verify_negative_cache:
                # Without it nobody would tell of a failure, and no other probe be sent for long.
                self._save(address, KnownAddress(known.status, now, known.updated, known.text))
        return QueryReply(OK, known.status, known.text)

    def _update(self, address: str, status: int, reason: str) -> None:
        now = int(time.time())
        known = self._cache.find(address)
        if known is not None and known.status == RECIPIENT_OK and status != RECIPIENT_OK:
            left = known.updated + self.settings.address_verify_positive_expire_time - now
            if left > 0:
                # A known good address is not spoilt by one failed refresh: it only stays due.
                self._save(address, KnownAddress(known.status, 0, known.updated, known.text))
                return
        self._save(address, KnownAddress(status, 0, now, reason))

    def _save(self, address: str, known: KnownAddress) -> None:
        self._cache.save(address, known)
        if not self._planned:
            self._planned = True
            self.loop.later(self._delay, self._write)

    def _write(self) -> None:
        self._planned = False
        begin = time.monotonic()
        self._writing = True
        self._cache.write(int(time.time()))
        self._writing = False
        if self._ending:
            self._end()
        self._delay = min(max((time.monotonic() - begin) / _SHARE, _SOONEST), _LATEST)

    def _terminated(self, _number: int, _frame: FrameType | None) -> None:
        """Write before the end, as the reference has everything on the disk at any time."""
        self._ending = True
        if not self._writing:
            self._end()

    def _end(self) -> None:
        self._cache.write(int(time.time()))
        signal.signal(signal.SIGTERM, self._otherwise)
        os.kill(os.getpid(), signal.SIGTERM)

    async def _probe(self, address: str) -> None:
        try:
            await send_internal(
                self.settings.cleanup_service_name,
                hostname=self.settings.myhostname,
                mail_name=self.settings.mail_name,
                sender=self._sender(),
                recipients=[address],
                lines=[],
                timeout=self.settings.ipc_timeout,
                trace_flags=MTA_VERIFY,
                more_flags=AUTO_UTF8,
            )
        except ServiceError as error:
            log.debug(f"address probe for {address}: {error}")

    def _sender(self) -> str:
        """Return the sender of probes; address_verify_sender_ttl makes it change with time."""
        settings = self.settings
        return probesender.current(
            settings.address_verify_sender, settings.myorigin, settings.address_verify_sender_ttl, time.time()
        )

    def _clean(self) -> None:
        settings = self.settings
        kept, dropped = self._cache.drop_expired(
            int(time.time()), settings.address_verify_positive_expire_time, settings.address_verify_negative_expire_time
        )
        log.info(f"cache {settings.address_verify_map} full cleanup: retained={kept} dropped={dropped} entries")
        self.loop.later(settings.address_verify_cache_cleanup_interval, self._clean)


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Verify, argv)
