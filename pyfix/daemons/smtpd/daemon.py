"""smtpd(8), the SMTP server: many sessions in one process.

Source: smtpd(8), master(5).
"""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Sequence

from pyfix.access.peer import PeerNames
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.server import Server
from pyfix.daemons.smtpd.session import Session
from pyfix.daemons.smtpd.standalone import serve_standard_input
from pyfix.daemons.smtpd.upstream import Upstream
from pyfix.formats.attributes import AttributeListError, decode_pairs
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.ipc import receive_list
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.tables.source import restart_if_changed

_PATIENCE = 40e-6
"""Seconds that the process of a single client waits without sleeping: what a client on the same machine needs."""
_BETWEEN_FILES = 0.5
"""Seconds to wait for the other files of a set that has begun to change."""
_PASS_TIMEOUT = 100.0


class Smtpd(Daemon):
    """The SMTP server."""

    program = "smtpd"
    capacity = 500

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Raises ConfigError."""
        super().__init__(invocation, snapshot)
        self.server = Server(
            snapshot, invocation.service, stand_alone=invocation.stand_alone, see_through=self.see_through
        )
        settings = self.server.settings
        log_port = settings.smtpd_client_port_logging
        self.peers = PeerNames(lookup=settings.smtpd_peername_lookup, log_port=log_port)
        self.upstream: Upstream | None = None
        if settings.smtpd_upstream_proxy_protocol and not invocation.stand_alone:
            protocol, seconds = settings.smtpd_upstream_proxy_protocol, settings.smtpd_upstream_proxy_timeout
            self.upstream = Upstream(snapshot, protocol, seconds, log_port=log_port)

    def before_jail(self) -> None:
        """Read keys and certificates."""
        if self.server.encryption.offered:
            self.server.encryption.open(self.snapshot, self.server.service)
        if not self.server.stand_alone:
            self.server.open_rewritten_senders()

    def started(self) -> None:
        """Watch for new keys and certificates."""
        watch = self.server.encryption.watch
        if watch is not None:
            self.loop.watch(watch.fileno(), select.EPOLLIN, self._credentials_changed)

    def _credentials_changed(self, _event: int) -> None:
        """Let a new process read them: a key and its certificate are probably changed one after the other."""
        watch = self.server.encryption.watch
        if watch is not None and watch.changed():
            self.loop.later(_BETWEEN_FILES, self.retire)

    def client_timeout(self) -> float:
        """Seconds that a silent SMTP client is waited for."""
        return self.server.settings.smtpd_timeout

    def stand_alone(self) -> None:
        """Serve standard input with the rights of the caller: the message belongs to who runs us."""
        if os.getuid() == 0:
            os.seteuid(0)
            os.setegid(0)
        serve_standard_input(self.server)

    async def serve(self, stream: Stream) -> None:
        """Serve one client; on a ``pass`` service the client is handed over by postscreen(8)."""
        if self.invocation.transport_type == "pass":
            await self._serve_passed(stream)
            return
        known = True
        if self.upstream is None:
            client = await self.peers.client_of(stream.socket)
        else:
            client, known = await self.upstream.client_of(stream, self.peers)
        if client is not None:
            session = Session(self.server, stream, client)
            session.nobody = not known
            await session.run()

    async def _serve_passed(self, stream: Stream) -> None:
        stream.timeout = _PASS_TIMEOUT
        try:
            fd = await stream.receive_descriptor()
            data = await receive_list(stream)
        except (StreamClosed, StreamTimeout, AttributeListError) as error:
            log.warning(f"connection from postscreen: {error}")
            return
        finally:
            stream.close()
        connection = socket.socket(fileno=fd)
        connection.setblocking(False)
        passed = Stream(connection, self.client_timeout())
        try:
            named = dict(decode_pairs(data)) if data is not None else {}
            client = await self.peers.client_at(
                named["client_address"], named["client_port"], named["server_address"], named["server_port"]
            )
            await Session(self.server, passed, client).run()
        except (KeyError, AttributeListError) as error:
            log.warning(f"bad attributes from postscreen: {error}")
        finally:
            passed.close()

    def outdated(self) -> bool:
        """Say whether a table has changed."""
        return restart_if_changed()

    def client_began(self) -> None:
        """Count a client in; for one that is alone, be quick to hear its next command."""
        super().client_began()
        self.loop.patience = _PATIENCE if self._clients == 1 else 0.0

    def client_ended(self) -> None:
        """Count a client out; make place for a new process when a table has changed."""
        super().client_ended()
        self.loop.patience = _PATIENCE if self._clients == 1 else 0.0
        if not self._clients and not self._retiring and restart_if_changed():
            self.retire()


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's, or with -S by hand; return the exit status."""
    return run(Smtpd, argv)
