"""A client and a server of ours that meet in one process, over buffers or over sockets."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from OpenSSL import SSL

from pyfix.clients.tlsmgr import TlsManager
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.libssl.objects import Connection, TlsError
from pyfix.runtime.stream import Stream
from pyfix.tls.client import ClientTls, open_client
from pyfix.tls.server import ServerTls, open_server
from tests.kit.tls import World

SERVER = {"smtpd_tls_cert_file": "{w}/rsa.pem", "smtpd_tls_key_file": "{w}/rsa.key", "smtpd_tls_loglevel": "1"}


def snapshot(world: World, main: Mapping[str, str]) -> Snapshot:
    values = {name: value.replace("{w}", str(world.folder)) for name, value in main.items()}
    return Snapshot({"compatibility_level": "3.11", "tls_append_default_CA": "no", **values}, process_name="smtpd")


def server(world: World, *, enforced: bool = False, **main: str) -> ServerTls | None:
    return open_server(snapshot(world, {**SERVER, **main}), enforced=enforced)


def client(world: World, **main: str) -> ClientTls | None:
    settings = SmtpClientSettings(snapshot(world, main))
    return open_client(settings, settings, level=main.get("smtp_tls_loglevel", "1"), manager=TlsManager("tlsmgr", "smtp", timeout=1, idle=1, ttl=1))


Side = Connection | SSL.Connection
"""Ours, or another library's."""


def _steps(one: Side) -> bool:
    """Do what can be done of a handshake; tell whether it is complete.  Raises TlsError, SSL.Error."""
    if isinstance(one, Connection):
        return one.shake_hands()
    try:
        one.do_handshake()
    except SSL.WantReadError:
        return False
    return True


def _pass(one: Side, other: Side) -> None:
    try:
        output = one.take_output() if isinstance(one, Connection) else one.bio_read(65536)
    except SSL.WantReadError:
        return
    if isinstance(other, Connection):
        other.receive(output)
    elif output:
        other.bio_write(output)


def talk(first: Side, second: Side) -> bool:
    """Let two connections over buffers shake hands; tell whether they have."""
    done = {first: False, second: False}
    for _ in range(20):
        for one, other in ((first, second), (second, first)):
            if not done[one]:
                try:
                    done[one] = _steps(one)
                except (TlsError, SSL.Error):
                    return False
            _pass(one, other)
    return all(done.values())


def streams(*, small: bool = False) -> tuple[Stream, Stream]:
    """Return the two ends of a connection, on the loop that runs; *small*: with little room in the kernel."""
    ends: list[Any] = list(socket.socketpair())
    for end in ends:
        end.setblocking(False)
        if small:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return Stream(ends[0], 10), Stream(ends[1], 10)
