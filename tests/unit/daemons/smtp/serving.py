"""smtp(8) or lmtp(8) in a child, and a server to which it delivers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from pyfix.daemons.smtp import daemon as smtp
from tests.kit.peer import Peer, Script
from tests.unit.daemons.requests import CONTENT, Queued, Recorder, bounce_service, deliver, queued
from tests.unit.daemons.running import Pair, Running, System, running

PIPELINING = "250-peer.example\n250-PIPELINING\n250-DSN\n250-8BITMIME\n250 SIZE 1000"


@dataclass
class Serving:
    """The daemon, the server, and those who hear of failures."""

    daemon: Running
    peer: Peer
    bounce: Recorder
    defer: Recorder

    @property
    def nexthop(self) -> str:
        return f"[127.0.0.1]:{self.peer.port}"

    def message(self, *recipients: str, content: bytes = CONTENT, nexthop: str = "") -> Queued:
        return queued(
            self.daemon.system, *(recipients or ("a@x.example",)), nexthop=nexthop or self.nexthop, content=content
        )

    def deliver(self, script: Script | None = None, *recipients: str, **options: str) -> list[Pair]:
        """Deliver one message, and return the reply to qmgr(8)."""
        self.peer.reset(script)
        reply = deliver(self.daemon, self.message(*recipients, **options))  # type: ignore[arg-type]  # keywords of any type
        assert reply is not None
        return reply

    def status_lines(self) -> Sequence[str]:
        """Return what was logged of recipients, without the delays."""
        lines = [line.partition(": to=")[2] for line in self.daemon.system.logged("status=") if ": to=" in line]
        return [line.replace(str(self.peer.port), "PORT") for line in lines]


@contextmanager
def serving(system: System, main: Mapping[str, object] | None = None, program: str = "smtp") -> Iterator[Serving]:
    """Run the program, and a server."""
    for name in ("bounce", "defer"):
        (system.queue / "private" / name).unlink(missing_ok=True)  # of another daemon in the same test
    system.write_main(**{"smtp_host_lookup": "native", "smtp_tls_security_level": "none", **(main or {})})
    bounce, defer = bounce_service(system, "bounce"), bounce_service(system, "defer")
    with Peer() as peer, patch.object(sys, "argv", [program]), running(smtp.main, system, program) as daemon:
        yield Serving(daemon, peer, bounce, defer)
