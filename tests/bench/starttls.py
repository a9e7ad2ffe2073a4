"""``python -m tests.bench.starttls HOST PORT CONNECTIONS MESSAGES SIZE SENDER RECIPIENT``: smtp-source with STARTTLS.

Each message comes in a session of its own, with a handshake of its own; smtp-source has no TLS.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor


def deliver(address: tuple[str, int], context: ssl.SSLContext, sender: str, recipient: str, content: bytes) -> None:
    """Deliver one message.  Raises RuntimeError with the reply that was not expected."""
    with socket.create_connection(address, 60) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _expect(plain, None, b"220")
        _expect(plain, b"EHLO bench.example\r\n", b"250")
        _expect(plain, b"STARTTLS\r\n", b"220")
        with context.wrap_socket(plain) as secured:
            for line, code in (
                (b"EHLO bench.example\r\n", b"250"),
                (b"MAIL FROM:<%s>\r\n" % sender.encode(), b"250"),
                (b"RCPT TO:<%s>\r\n" % recipient.encode(), b"250"),
                (b"DATA\r\n", b"354"),
                (content + b".\r\n", b"250"),
                (b"QUIT\r\n", b"221"),
            ):
                _expect(secured, line, code)


def _expect(connection: socket.socket, line: bytes | None, code: bytes) -> None:
    if line is not None:
        connection.sendall(line)
    reply = b""
    while not reply.endswith(b"\r\n") or reply.rstrip().split(b"\r\n")[-1][3:4] == b"-":
        piece = connection.recv(65536)
        if not piece:
            raise RuntimeError("the connection was closed")
        reply += piece
    if not reply.startswith(code):
        raise RuntimeError(reply.decode("utf-8", "replace"))


def main(arguments: Sequence[str]) -> int:
    """Return 0 when all messages were taken."""
    host, port, connections, messages, size, sender, recipient = arguments
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    content = b"Subject: bench\r\n\r\n" + (b"x" * 78 + b"\r\n") * max(int(size) // 80, 1)
    with ThreadPoolExecutor(int(connections)) as pool:
        sent = [
            pool.submit(deliver, (host, int(port)), context, sender, recipient, content) for _ in range(int(messages))
        ]
        for future in sent:
            future.result()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
