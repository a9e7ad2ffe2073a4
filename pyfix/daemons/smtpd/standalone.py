"""One session on standard input and output: sendmail -bs.

Source: smtpd(8) on -S; sendmail(1).
"""

from __future__ import annotations

import os
import select
from typing import Final

from pyfix.access.peer import local_client
from pyfix.daemons.smtpd.server import Server
from pyfix.daemons.smtpd.session import Session
from pyfix.runtime.loop import install
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import spawn

__all__ = ["StandardStream", "serve_standard_input"]

_READ: Final = 65536


class StandardStream(Stream):
    """Standard input and output, which may be no sockets; reading and writing block."""

    __slots__ = ("_sink", "_source")

    def __init__(self, timeout: float, source: int = 0, sink: int = 1) -> None:
        self._source = source
        self._sink = sink
        self._out: list[bytes] = []
        self.timeout = timeout
        self.until = 0.0
        self.readable = False

    def peek_input(self) -> bytes:
        """Return nothing: nobody minds here whether the client waits for our replies."""
        return b""

    def read_now(self) -> bytes | None:
        """Return nothing, for the same reason."""
        return None

    def send_early(self) -> None:
        """Wait for the next read."""

    def begin_read(self) -> bytes | None:
        """Return the next bytes, b"" at their end.  Raises StreamTimeout, StreamClosed."""
        self.flush()
        readable, _, _ = select.select([self._source], [], [], self.timeout or None)
        if not readable:
            raise StreamTimeout
        try:
            return os.read(self._source, _READ)
        except OSError as error:
            raise StreamClosed(error.strerror) from error

    def flush(self) -> bool:
        """Write what was queued.  Raises StreamClosed."""
        data = b"".join(self._out)
        self._out.clear()
        while data:
            try:
                data = data[os.write(self._sink, data) :]
            except OSError as error:
                raise StreamClosed(error.strerror) from error
        return True

    async def close_when_sent(self) -> None:
        """Write the rest; the descriptors stay."""
        try:
            self.flush()
        except StreamClosed:
            pass


def serve_standard_input(server: Server) -> None:
    """Serve whoever is at the other end of standard input, as the client localhost."""
    loop = install()
    stream = StandardStream(server.settings.smtpd_timeout)
    client = local_client(log_port=server.settings.smtpd_client_port_logging)

    def ended(error: BaseException | None) -> None:
        loop.stop_turning()
        if error is not None:
            raise error

    loop.callWhenRunning(spawn, Session(server, stream, client).run(), ended)
    loop.turn()
