"""Waking a service: one byte to its endpoint, as a client would write it.

Source: master(5) wake up time.
"""

from __future__ import annotations

import array
import errno
import os
import socket

from pyfix.daemons.master.definition import Definition

REQUEST = b"W\0"
"""The request of master's timer: look for work."""


def wake(definition: Definition) -> None:
    """Send the request.  Raises OSError."""
    match definition.entry.type:
        case "inet":
            address = definition.addresses[0]
            _connect_and_send(address.family, (address.host, address.port))
        case "fifo":
            _write_fifo(definition.entry.socket_path)
        case "pass":
            _pass_connection(definition.entry.socket_path)
        case "unix-dgram":
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        case _:
            _connect_and_send(socket.AF_UNIX, definition.entry.socket_path)


def _connect_and_send(family: int, address: str | tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as client:
        if family != socket.AF_UNIX:
            client.settimeout(1)  # our own listener: the handshake takes microseconds, or fails
        client.connect(address)
        client.send(REQUEST)


def _write_fifo(path: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.write(fd, REQUEST[:1])
    finally:
        os.close(fd)


def _pass_connection(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as client:
        client.connect(path)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            client.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
            ours.send(REQUEST)
