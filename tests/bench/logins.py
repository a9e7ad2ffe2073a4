"""Sessions that log in and leave, many at a time, and the service that lets everybody in: Dovecot's authentication protocol.

``python -m tests.bench.logins`` is the service; it speaks to both sides over a port of 127.0.0.1.
"""

from __future__ import annotations

import selectors
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench import answering

_GREETING = b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n"
_LOGIN = b"AUTH PLAIN " + b64encode(b"\0joe\0secret") + b"\r\n"
_DIALOGUE = ((b"220", b"EHLO bench.example\r\n"), (b"250", _LOGIN), (b"235", b"QUIT\r\n"), (b"221", b""))
"""What each reply has to begin with, and what is said to it."""


@contextmanager
def service() -> Iterator[dict[str, str]]:
    """Run the service; yields the main.cf parameters for it."""
    with answering.running("tests.bench.logins") as port:
        yield {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": f"inet:127.0.0.1:{port}",
            "smtpd_client_connection_rate_limit": "0",
            "smtpd_client_connection_count_limit": "0",
        }


def answers(data: bytearray) -> bytes:
    """Take the whole lines of *data*: a greeting for a greeting, and everybody is who he says."""
    *lines, rest = bytes(data).split(b"\n")
    data[:] = rest
    said = []
    for line in lines:
        words = line.split(b"\t")
        if words[0] == b"CPID":
            said.append(_GREETING)
        elif words[0] == b"AUTH":
            said.append(b"OK\t%s\tuser=joe\n" % words[1])
    return b"".join(said)


@dataclass
class _Client:
    """How far a session is."""

    step: int = 0
    heard: bytes = b""


def log_in(address: tuple[str, int], sessions: int, at_once: int, longest: float) -> str:
    """Hold so many sessions, so many of them at a time; return the first reply that is not as it should be, or nothing.

    *longest*: seconds for all.
    """
    begun = done = 0
    end = time.monotonic() + longest
    with selectors.DefaultSelector() as selector:
        while done < sessions:
            while begun < sessions and begun - done < at_once:
                connection = socket.create_connection(address, longest)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ, _Client())
                begun += 1
            if time.monotonic() > end:
                return f"{done} of {sessions} sessions in {longest} s"
            for key, _ in selector.select(1):
                talking, client = key.fileobj, key.data
                assert isinstance(talking, socket.socket)
                wrong = _go_on(talking, client)
                if wrong:
                    return wrong
                if client.step == len(_DIALOGUE):
                    selector.unregister(talking)
                    talking.close()
                    done += 1
    return ""


def _go_on(connection: socket.socket, client: _Client) -> str:
    """Read, and say what comes next if the reply is whole; return a reply that is wrong, or nothing."""
    data = connection.recv(65536)
    client.heard += data
    if not data:
        return f"connection closed after {client.heard!r}"
    if not client.heard.endswith(b"\r\n") or client.heard.rstrip().split(b"\r\n")[-1][3:4] == b"-":
        return ""
    code, line = _DIALOGUE[client.step]
    if not client.heard.startswith(code):
        return client.heard.decode("utf-8", "replace")
    client.heard = b""
    client.step += 1
    if line:
        connection.sendall(line)
    return ""


if __name__ == "__main__":
    answering.answer(answers)
