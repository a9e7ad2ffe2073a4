"""Connections to other hosts, made without blocking the event loop."""

from __future__ import annotations

import errno
import os
import select
import socket
from _socket import socket as _Socket
from functools import partial
from typing import Final

from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.task import Waiter

_FLAGS: Final = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
_WRITABLE: Final = select.EPOLLOUT | select.EPOLLET
_FAMILIES: Final = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}

Address = tuple[str, int] | str
"""A numerical address and a port, or the path of a socket."""


def new_socket(address: Address) -> _Socket:
    """Return a socket that does not block, of the family of *address*.  Raises OSError."""
    if isinstance(address, str):
        return _Socket(int(socket.AF_UNIX), _FLAGS, 0)
    return _Socket(_FAMILIES[6 if ":" in address[0] else 4], _FLAGS, 0)


def set_window(connection: _Socket, size: int) -> None:
    """Set the buffers of a TCP socket, before it connects or listens, so that both sides know.

    *size*: bytes, 0 for the system's own.  Source: postconf(5) tcp_windowsize.
    """
    if size <= 0:
        return
    for name, option in (("SO_SNDBUF", socket.SO_SNDBUF), ("SO_RCVBUF", socket.SO_RCVBUF)):
        try:
            connection.setsockopt(socket.SOL_SOCKET, option, size)
        except OSError as error:
            log.warning(f"setsockopt {name} {size}: {error.strerror}")


async def connect(connection: _Socket, address: Address, timeout: float) -> None:
    """Connect a socket of new_socket within *timeout* seconds (0: as long as the system tries).

    Raises OSError; the socket is the caller's to close.
    """
    try:
        connection.connect(address)
        return
    except BlockingIOError as error:
        if error.errno != errno.EINPROGRESS:
            raise
    loop, fd = current(), connection.fileno()
    waiter: Waiter[bool] = Waiter()
    loop.watch(fd, _WRITABLE, partial(_settled, waiter))
    late = loop.later(timeout, _too_late, waiter) if timeout else None
    try:
        in_time = await waiter
    finally:
        loop.unwatch(fd)
        if late is not None and late.active():
            late.cancel()
    if not in_time:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if problem:
        raise OSError(problem, os.strerror(problem))


def _settled(waiter: Waiter[bool], _event: int) -> None:
    if not waiter.done:
        waiter.wake(True)


def _too_late(waiter: Waiter[bool]) -> None:
    if not waiter.done:
        waiter.wake(False)
