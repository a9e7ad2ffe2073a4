"""postlogd(8): append the mail system's log lines to maillog_file.

Source: postlogd(8); postconf(5) maillog_file, maillog_file_permissions, maillog_file_prefixes.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from time import sleep
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.postlogd import PostlogdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run

_MOST_BYTES: Final = 4096
_BATCH: Final = range(1000)
"""Datagrams that are written together."""
_PATIENCE: Final = 0.002
_MANY: Final = 5
"""Datagrams at a time that show load; the kernel queues ten."""
_STDOUT: Final = "/dev/stdout"


class Postlogd(Daemon):
    """Receives datagrams, one log line each."""

    program = "postlogd"
    process_limit = 1
    transports = frozenset(("unix-dgram",))

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = PostlogdSettings(snapshot)
        self.settings.check()
        self._output = -1
        self._busy = False

    def watchdog_seconds(self) -> int:
        """Return how long one turn of the loop may take.  Source: postconf(5) postlogd_watchdog_timeout."""
        return self.settings.postlogd_watchdog_timeout

    def before_jail(self) -> None:
        """Open the log file with the rights of root.  Raises ConfigError."""
        path = self.settings.maillog_file
        if not path:
            raise ConfigError(f"missing 'maillog_file' configuration, needed by service {self.invocation.service}")
        if not path.startswith(tuple(self.settings.maillog_file_prefixes)):
            prefixes = self.snapshot.value("maillog_file_prefixes")
            raise ConfigError(f"maillog_file '{path}' does not match 'maillog_file_prefixes = {prefixes}'")
        if path == _STDOUT:
            self._output = 1
            return
        mode = int(self.settings.maillog_file_permissions, 8)
        try:
            self._output = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
            if os.fstat(self._output).st_size == 0:
                os.fchmod(self._output, mode)
        except OSError as error:
            raise ConfigError(f"open logfile '{path}': {error.strerror}") from error

    def accepter(self, listener: socket.socket) -> Callable[[int], None]:
        """Return the handler that writes all lines which are there with one call."""
        receive = listener.recv

        def readable(_event: int) -> None:
            if not self._busy:
                # Each line alone would wake this process; what comes in the next moment is written with it.
                # Nothing else is to be done here meanwhile, and the loop would take longer than the moment is worth.
                sleep(_PATIENCE)
            lines: list[bytes] = []
            keep = lines.append
            try:
                for _ in _BATCH:
                    keep(receive(_MOST_BYTES).rstrip(b"\n\0"))
            except OSError:
                pass
            if lines:
                keep(b"")
                self._write(b"\n".join(lines))
            # Full queues make writers wait: under load there is nothing to be patient for.
            self._busy = len(lines) > _MANY
            self._idle_from_now()

        return readable

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._output, data) :]
        except OSError:
            # A full disk must not stop the mail system; the lines are lost, as in Postfix.
            return


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Postlogd, argv)
