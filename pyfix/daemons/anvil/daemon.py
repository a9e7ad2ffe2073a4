"""anvil(8): count connections and requests by client, so that all smtpd(8) processes know the limits.

Source: anvil(8); postconf(5) anvil_rate_time_unit, anvil_status_update_time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Final

from pyfix.config.parameters.anvil import AnvilSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.anvil.counters import Counters, Peak
from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal.anvil import (
    FAILED,
    OK,
    PROTOCOL,
    Connect,
    ConnectReply,
    CountReply,
    Disconnect,
    Event,
    Lookup,
    LookupReply,
    StatusReply,
)
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.log import log
from pyfix.runtime.requests import RequestDaemon
from pyfix.runtime.stream import Stream

_RATE_NAMES: Final = (
    ("connect", "connection"),
    ("message", "message"),
    ("recipient", "recipient"),
    ("newtls", "newtls"),
    ("auth", "auth"),
)


class Anvil(RequestDaemon):
    """Counts; the limits themselves are the SMTP server's."""

    program = "anvil"
    process_limit = 1
    PROTOCOL = PROTOCOL
    ENCODING = "plain"
    DROPS_MALFORMED = DROPS_NAMELESS = True
    NEEDED = ("ident",)
    REQUESTS = {  # noqa: RUF012  # a literal table of the class, never changed
        "connect": Connect,
        "disconnect": Disconnect,
        "message": Event,
        "recipient": Event,
        "newtls": Event,
        "newtls_status": Event,
        "auth": Event,
        "lookup": Lookup,
    }

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = AnvilSettings(snapshot)
        self.settings.check()
        self._counters = Counters(self.settings.anvil_rate_time_unit)
        self._connected: dict[Stream, dict[str, int]] = {}

    def started(self) -> None:
        """Report the peaks every anvil_status_update_time seconds."""
        self.loop.later(self.settings.anvil_status_update_time, self._report_regularly)

    def stopping(self) -> None:
        """Report once more before the end."""
        self._report()

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Count, and tell the counts."""
        now = self._now()
        counters = self._counters
        match request:
            case Connect(ident=ident):
                return ConnectReply(OK, *self._connect(ident, stream))
            case Disconnect(ident=ident):
                mine = self._connected.get(stream, {})
                if mine.get(ident, 0) > 0:
                    mine[ident] -= 1
                    if not mine[ident]:
                        del mine[ident]
                    counters.disconnect(ident, now)
                return StatusReply(OK)
            case Event(request="newtls_status", ident=ident):
                return CountReply(OK, counters.current(ident, "newtls", now))
            case Event(request=what, ident=ident):
                if not counters.knows(ident):
                    self._connect(ident, stream)
                return CountReply(OK, counters.count(ident, what, now))
            case Lookup(ident=ident):
                rates = [counters.current(ident, what, now) for what, _name in _RATE_NAMES]
                return LookupReply(OK, counters.connections(ident), *rates)
        return self.refuse("")

    def _now(self) -> int:
        """Return the time in whole seconds, as Postfix counts: a unit of n seconds lasts until n + 1 are begun."""
        return int(self.loop.now)

    def _connect(self, ident: str, stream: Stream) -> tuple[int, int]:
        mine = self._connected.setdefault(stream, {})
        mine[ident] = mine.get(ident, 0) + 1
        return self._counters.connect(ident, self._now())

    def refuse(self, name: str) -> Attributes:
        """Return the status of a request that we do not know."""
        return StatusReply(FAILED)

    def client_gone(self, stream: Stream) -> None:
        """Count out the connections of a server process that ended without saying so."""
        for ident, count in self._connected.pop(stream, {}).items():
            for _ in range(count):
                self._counters.disconnect(ident, self._now())

    def _report_regularly(self) -> None:
        self._counters.forget_idle(self._now())
        self._report()
        self.loop.later(self.settings.anvil_status_update_time, self._report_regularly)

    def _report(self) -> None:
        peaks = self._counters.peaks
        unit = self.settings.anvil_rate_time_unit
        for what, name in _RATE_NAMES:
            peak = peaks[what]
            if peak.value:
                log.info(f"statistics: max {name} rate {peak.value}/{unit}s for ({peak.ident}) at {self._when(peak)}")
            if what == "connect" and peaks["count"].value:
                top = peaks["count"]
                log.info(f"statistics: max connection count {top.value} for ({top.ident}) at {self._when(top)}")
        if peaks["cache"].value:
            log.info(f"statistics: max cache size {peaks['cache'].value} at {self._when(peaks['cache'])}")
        for name in peaks:
            peaks[name] = Peak()

    def _when(self, peak: Peak) -> str:
        seconds = time.time() - (time.monotonic() - peak.when)
        return time.strftime("%b %e %H:%M:%S", time.localtime(seconds))


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Anvil, argv)
