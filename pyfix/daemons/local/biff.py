"""comsat(8) hears of new mail: one datagram ``user@offset`` for each message that was appended to a mailbox file.

Source: postconf(5) biff; the datagrams of the reference.
"""

from __future__ import annotations

import socket
from typing import Final

from pyfix.runtime.log import log

_HOST: Final = "127.0.0.1"


class Biff:
    """Tells comsat(8), whether it listens or not."""

    def __init__(self) -> None:
        """Look the port up; without an entry in services(5) nobody is told."""
        self._socket: socket.socket | None = None
        try:
            self._address = (_HOST, socket.getservbyname("biff", "udp"))
        except OSError:
            log.warning("service not found: biff/udp")
            return
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)

    def notify(self, user: str, offset: int) -> None:
        """Tell that *user* has mail, which begins *offset* bytes behind the beginning of the mailbox."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(f"{user}@{offset}\0".encode("utf-8", "surrogateescape"), self._address)
        except OSError as error:
            log.warning(f"biff_notify: {error.strerror}")
