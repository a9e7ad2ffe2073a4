"""flush(8): deliver at once what waits for one site, or one message.

Source: flush(8); postconf(5) fast_flush_domains, fast_flush_refresh_time, fast_flush_purge_time;
RFC 1985 (ETRN).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from pyfix.config.parameters.flush import FlushSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.flush.sites import SiteLogs, site_file
from pyfix.formats.attributes import Attributes
from pyfix.formats.queueid import is_valid
from pyfix.protocols.internal.flush import (
    BAD,
    DENIED,
    FAILED,
    OK,
    PROTOCOL,
    Add,
    Purge,
    Refresh,
    SendFile,
    SendSite,
    StatusReply,
)
from pyfix.queue.spool import DEFERRED, INCOMING, UNTHROTTLE_BIT, Spool
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.ipc import handshake, trigger
from pyfix.runtime.log import log
from pyfix.runtime.requests import RequestDaemon
from pyfix.runtime.stream import Stream
from pyfix.tables.matchlist import MatchList

_WAKE_UP: Final = b"W"


class Flush(RequestDaemon):
    """Keeps the logs of sites and moves messages from deferred to incoming."""

    program = "flush"
    capacity = 100
    process_limit = 0
    PROTOCOL = PROTOCOL
    IGNORES_UNKNOWN = True
    REQUESTS = {  # noqa: RUF012  # a literal table of the class, never changed
        "add": Add,
        "send_site": SendSite,
        "send_file": SendFile,
        "rfrsh": Refresh,
        "purge": Purge,
    }

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = FlushSettings(snapshot)
        self.settings.check()
        self._qmgr = f"public/{self.settings.queue_service_name}"
        self._spool = Spool(self.settings.hash_queue_names, self.settings.hash_queue_depth)
        self._sites = SiteLogs(self._spool)
        self._domains = MatchList("fast_flush_domains", self.settings.fast_flush_domains, snapshot)

    async def serve(self, stream: Stream) -> None:
        """Take one or two bytes for a wake-up by master(8), more for a request."""
        stream.write(handshake(PROTOCOL))
        data = await stream.read()
        if 0 < len(data) <= 2:  # a trigger is one byte, or one and its terminator
            if data.startswith(_WAKE_UP):
                self._refresh(self.settings.fast_flush_refresh_time)
            return
        if data:
            stream.unread(data)
            await self.answer_one(stream)

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Do what is asked; refreshes are answered before they begin."""
        match request:
            case Add(site=site, queue_id=queue_id):
                return StatusReply(await self._add(site, queue_id))
            case SendSite(site=site):
                return StatusReply(await self._send_site(site))
            case SendFile(queue_id=queue_id):
                return StatusReply(self._send_file(queue_id))
            case Refresh() | Purge():
                stream.write(StatusReply(OK).encode())
                await stream.drain()
                self._refresh(self.settings.fast_flush_refresh_time if isinstance(request, Refresh) else 0)
        return None

    def refuse(self, name: str) -> Attributes:
        """Return the status of a malformed request."""
        return StatusReply(BAD)

    async def _is_served(self, site: str) -> bool:
        """Tell whether fast_flush_domains has a site; no address is one, in brackets or not."""
        return bool(site) and not site.startswith("[") and await self._domains.ask_domain(site)

    async def _add(self, site: str, queue_id: str) -> int:
        if not await self._is_served(site):
            return DENIED
        if not is_valid(queue_id):
            return BAD
        try:
            self._sites.add(site, queue_id)
        except OSError as error:
            log.warning(f"write fast flush log for {site}: {error.strerror}")
            return FAILED
        return OK

    async def _send_site(self, site: str) -> int:
        if not await self._is_served(site):
            return DENIED
        queue_ids = self._sites.take(site_file(site))
        moved = sum([self._release(queue_id) for queue_id in queue_ids])
        if moved:
            trigger(self._qmgr, b"I")
        return OK

    def _send_file(self, queue_id: str) -> int:
        if not is_valid(queue_id):
            return BAD
        if self._release(queue_id):
            trigger(self._qmgr, b"I")
        return OK

    def _release(self, queue_id: str) -> bool:
        """Make a message due: its time is now, and known troubles of its destinations do not matter."""
        path = self._spool.path(DEFERRED, queue_id)
        try:
            mode = os.stat(path).st_mode & 0o7777
            os.chmod(path, mode | UNTHROTTLE_BIT)
            os.utime(path)
            self._spool.rename(queue_id, DEFERRED, INCOMING)
        except FileNotFoundError:
            return False
        except OSError as error:
            log.warning(f"{queue_id}: {error.strerror}")
            return False
        return True

    def _refresh(self, seconds: int) -> None:
        """Try again the sites whose logs were not used for *seconds*."""
        moved = 0
        for name in self._sites.names():
            age = self._sites.age(name)
            # To take the ids of a log makes it a log of this moment.
            if age >= self.settings.fast_flush_purge_time:
                self._sites.remove_if_empty(name)
            if age >= seconds:
                moved += sum([self._release(queue_id) for queue_id in self._sites.take(name)])
        if moved:
            trigger(self._qmgr, b"I")


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Flush, argv)
