"""Stopping and starting the mail system the way this machine does it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

__all__ = ["MailService", "ServiceFailed"]

_SYSTEMD = Path("/run/systemd/system")
_INIT_SCRIPT = Path("/etc/init.d/postfix")


class ServiceFailed(Exception):
    """The mail system could not be stopped or started; the text says what was said."""


class MailService:
    """The mail system as a service: by systemd, else by the init script, else by ``postfix`` itself."""

    def __init__(self, commands: Path, daemons: Path) -> None:
        self._commands = commands
        self._daemons = daemons

    def is_running(self) -> bool:
        """Tell whether the main instance runs."""
        return _run([str(self._daemons / "master"), "-t"]).returncode != 0

    def stop(self) -> None:
        """Stop it.  Raises ServiceFailed."""
        self._do("stop")
        if self.is_running():
            raise ServiceFailed("the mail system still runs after it was told to stop")

    def start(self) -> None:
        """Start it.  Raises ServiceFailed."""
        self._do("start")
        if not self.is_running():
            raise ServiceFailed("the mail system does not run after it was started: see its log")

    def reread_units(self) -> None:
        """Let systemd see units that came or went."""
        if _SYSTEMD.exists():
            _run(["systemctl", "daemon-reload"])

    def _do(self, action: str) -> None:
        if _SYSTEMD.exists():
            argv = ["systemctl", action, "postfix.service"]
        elif _INIT_SCRIPT.exists():
            argv = [str(_INIT_SCRIPT), action]
        else:
            argv = [str(self._commands / "postfix"), action]
        done = _run(argv)
        if done.returncode != 0:
            raise ServiceFailed(f"{' '.join(argv)} failed: {done.stdout.strip()}")


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    # Into a file: the other end of a pipe would be the mail system's too, and we would read until it is stopped.
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, check=False)
        said.seek(0)
        return subprocess.CompletedProcess(argv, done.returncode, said.read())
