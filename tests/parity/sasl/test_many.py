"""A thousand clients in AUTH at once, of whom nobody is answered by the service: others are served as if they were not there."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable

import pytest

from tests.kit.authdouble import AuthDouble, encoded
from tests.kit.instance import Instance

from .conftest import DOVECOT

pytestmark = [pytest.mark.root]

CLIENTS = 1000
SILENT = f"EHLO c\r\nAUTH PLAIN {encoded('', 'silent', 'pw')}\r\n".encode()
QUIET = {"smtpd_client_connection_count_limit": "0", "smtpd_client_connection_rate_limit": "0", "smtpd_forbid_unauth_pipelining": "no"}


def test_others_are_served(new_instance: Callable[..., Instance]) -> None:
    mta = new_instance(main=DOVECOT | QUIET | {"smtpd_authorized_xclient_hosts": ""})
    waiting: list[socket.socket] = []
    with AuthDouble(mta.queue_directory / "private/auth") as double:
        mta.start()
        try:
            for _ in range(CLIENTS):
                client = socket.create_connection((mta.host, mta.port), 30)
                client.sendall(SILENT)
                waiting.append(client)
            deadline = time.monotonic() + 60
            while sum(line.startswith("AUTH") for line in double.asked) < CLIENTS * 0.9 and time.monotonic() < deadline:
                time.sleep(0.05)
            for _ in range(5):
                replies = mta.dialogue("EHLO d", f"AUTH PLAIN {encoded('', 'joe', 'pw')}", "MAIL FROM:<a@b.example>", "QUIT")
                assert replies[1:] == ["235 2.7.0 Authentication successful", "250 2.1.0 Ok", "221 2.0.0 Bye"]
            answered = _last_replies(waiting)
        finally:
            for client in waiting:
                client.close()
    assert answered == {b"454 4.7.0 Temporary authentication failure: Connection lost to authentication server\r\n": CLIENTS}


def _last_replies(clients: list[socket.socket]) -> dict[bytes, int]:
    """Wait until all were answered for AUTH; count the answers."""
    found: dict[bytes, int] = {}
    seen = dict.fromkeys(clients, b"")
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        deadline = time.monotonic() + 90
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                data = client.recv(65536)
                seen[client] += data
                last = seen[client].rpartition(b"\r\n250 CHUNKING\r\n")[2]
                if not data or (last.endswith(b"\r\n") and b"\r\n250 CHUNKING\r\n" in seen[client] and last):
                    selector.unregister(client)
                    found[last] = found.get(last, 0) + 1
    return found
