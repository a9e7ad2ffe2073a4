"""One handshake, and what the log says of one that fails; the same for both sides of TLS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pyfix.formats.clienthello import ClientHello
from pyfix.runtime.libssl.objects import Connection
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamTimeout
from pyfix.runtime.tls import HandshakeFailed, shake_hands

__all__ = ["handshake"]


async def handshake(
    stream: Stream,
    connection: Connection,
    seconds: float,
    *,
    step: str,
    whom: str,
    states: bool,
    prepare: Callable[[ClientHello], Awaitable[None]] | None = None,
) -> bool:
    """Encrypt *stream* and tell whether that came about; why not is in the log, as "*step* error *whom*: ...".

    *states*: the log is to have the library's steps, so the last one too.  *prepare*: see shake_hands().
    After a failure the stream can only be closed.
    """
    try:
        await shake_hands(stream, connection, seconds, prepare)
    except StreamTimeout:
        log.info(f"{step} error {whom}: Connection timed out")
        return False
    except HandshakeFailed as error:
        if states and not error.problems:
            log.info(f"{step}:error in {connection.state}")
        log.info(f"{step} error {whom}: {error}")
        for problem in error.problems:
            log.warning(f"TLS library problem: {problem}")
        return False
    return True
