"""What a service manager such as systemd wants to hear: that the mail system is ready, reads its files again, ends.

Source: sd_notify(3), the protocol of NOTIFY_SOCKET; beyond Postfix, and silent where nobody asked for it.
"""

from __future__ import annotations

import os
import socket
import time

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["ADDRESS", "ServiceManager"]

ADDRESS = "NOTIFY_SOCKET"
"""The variable of the environment with the manager's socket: a path, or ``@`` and a name."""


class ServiceManager:
    """Who started us and waits for news; with an empty *address* nobody does."""

    def __init__(self, address: str = "") -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    @classmethod
    def take_from(cls, environment: MutableMapping[str, str]) -> ServiceManager:
        """Return the one that *environment* names, which other processes then do not find there any more."""
        return cls(environment.pop(ADDRESS, ""))

    def ready(self) -> None:
        """Say that clients are served, and that this process is the one to watch."""
        self._tell("READY=1", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """Say that files are read again; ready() ends that."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the end is near."""
        self._tell("STOPPING=1")

    def _tell(self, *news: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(news).encode(), self._address)
        except OSError:
            return  # mail is more important than whoever watches us, who has a time limit for our silence
