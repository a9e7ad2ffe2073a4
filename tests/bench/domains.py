"""Messages with a recipient in each of many domains, every one of which has a next hop of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.kit.loadtools import sink

DOMAINS: Final = 1000
_CONTENT: Final = b"Subject: many domains\r\n\r\n" + b"x" * 70 + b"\r\n.\r\nQUIT\r\n"


@contextmanager
def many_servers() -> Iterator[dict[str, str]]:
    """Run a server at many addresses; yields the main.cf parameters that send mail for each domain to one of them."""
    with sink("reference", "smtp-sink", "-4", "-m", "1000", host="") as server:
        hops = [
            f"{{d{number}.example=smtp:[127.1.{number // 250}.{number % 250 + 1}]:{server.port}}}" for number in range(DOMAINS)
        ]
        yield {"transport_maps": f"inline:{{{', '.join(hops)}}}"}


def send_to_domains(host: str, port: int, messages: int) -> str:
    """Send messages with a recipient in each domain; return what went wrong."""
    envelope = b"".join(b"RCPT TO:<someone@d%d.example>\r\n" % number for number in range(DOMAINS))
    for _ in range(messages):
        with socket.create_connection((host, port), 60) as connection, connection.makefile("rb") as replies:
            lines = [replies.readline()]
            connection.sendall(b"EHLO bench.example\r\n")
            while (line := replies.readline())[3:4] == b"-":
                lines.append(line)
            connection.sendall(b"MAIL FROM:<sender@client.example>\r\n" + envelope + b"DATA\r\n")
            lines += [line, *(replies.readline() for _ in range(DOMAINS + 2))]
            if lines[-1][:1] == b"3":
                connection.sendall(_CONTENT)
                lines += replies.readlines()
        if bad := [line for line in lines if line[:1] not in b"23"]:
            return repr(bad[0])
    return ""
