"""Free loopback ports, reserved across all test processes of the machine.

The range lies below the ports that the kernel gives to clients, so that no outgoing connection takes a port between
its choice and its use; a lock on a file of the port's name keeps two test processes from choosing the same one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import tempfile
from pathlib import Path

FIRST, LAST = (int(word) for word in os.environ.get("PYFIX_TEST_PORTS", "12150-13149").split("-"))


class ReservedPort:
    """A TCP port of 127.0.0.1 that stays ours until released."""

    def __init__(self) -> None:
        folder = Path(tempfile.gettempdir()) / f"pyfix-test-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        start = os.getpid() * 7
        for step in range(LAST - FIRST + 1):
            port = FIRST + (start + step) % (LAST - FIRST + 1)
            lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_free(port):
                    self.number, self._lock = port, lock
                    return
            except BlockingIOError:
                pass
            os.close(lock)
        raise RuntimeError(f"no free port between {FIRST} and {LAST}")

    def release(self) -> None:
        """Let others have the port."""
        os.close(self._lock)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True
