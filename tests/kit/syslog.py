"""A system logger of a test's own: programs run in a name space whose /dev/log is a socket that the test reads."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

from tests.kit import programs
from tests.kit.instance import Instance
from tests.kit.normalise import Normaliser
from tests.kit.processes import wait_until

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_OWN_DEV = (
    f"for name in {' '.join(_DEVICES)}; do mount --bind /dev/$name $0/$name || exit 99; done; "
    'mount --rbind $0 /dev || exit 99; exec "$@"'
)
"""A shell script: run a command in a name space of its own whose /dev is the folder $0."""

_MARK = b"so far"


class SystemLog:
    """What is sent to /dev/log by the programs that are run here.  Use it in a ``with`` statement; needs root."""

    def __init__(self, mta: Instance) -> None:
        self._mta = mta
        self._devices = mta.directory / "dev"
        self._socket: socket.socket | None = None
        self._reader: threading.Thread | None = None
        self._seen = threading.Event()
        self.datagrams: list[str] = []
        """All that has come, as it came."""

    def __enter__(self) -> Self:
        self._devices.mkdir(exist_ok=True)
        for name in _DEVICES:
            (self._devices / name).touch()
        self.appear()
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self.disappear()

    def appear(self) -> None:
        """Open the socket, and take what comes."""
        path = self._devices / "log"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o666)
        self._reader = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._reader.start()

    def _read(self, receiver: socket.socket) -> None:
        while data := receiver.recv(8192):
            if data == _MARK:
                self._seen.set()
            else:
                self.datagrams.append(data.decode("utf-8", "surrogateescape"))

    def disappear(self) -> None:
        """Close the socket, as a system logger that ends does."""
        assert self._socket is not None and self._reader is not None
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self._devices / "log"))
        self._reader.join()
        self._socket.close()
        self._socket = None
        (self._devices / "log").unlink()

    def run(self, program: str | Path, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """Run a program of the instance to its end; *more* goes to subprocess.run."""
        more = {"input": b"", "timeout": 60.0, **more}
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", _OWN_DEV, self._devices, program, *arguments],
            env=self._mta.environment | programs.hasty(self._mta.kind),
            cwd="/",
            capture_output=True,
            check=False,
            **more,
        )
        assert done.returncode != 99, done.stderr
        self.flush()
        return done

    def flush(self) -> None:
        """Wait until all that was sent so far is in *datagrams*."""
        if self._socket is not None:
            self._seen.clear()
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mark:
                mark.sendto(_MARK, str(self._devices / "log"))
            assert self._seen.wait(10.0)

    def start(self) -> None:
        """Start the mail system here."""
        done = self.run(self._mta.daemon_directory / "master", "-w")
        assert done.returncode == 0, (done, self.datagrams)
        assert wait_until(self._mta.is_running, 10.0)

    def wait_for(self, pattern: str, seconds: float = 15.0, count: int = 1) -> re.Match[str]:
        """Wait for *count* datagrams in which *pattern* is found; return the last match."""
        found: list[re.Match[str]] = []

        def seen() -> bool:
            found[:] = [match for text in list(self.datagrams) if (match := re.search(pattern, text))]
            return len(found) >= count

        assert wait_until(seen, seconds), (pattern, self.datagrams)
        return found[-1]

    def lines(self, mta: Instance) -> list[str]:
        """Return what has come, without what differs between two instances, sorted: processes run side by side."""
        self.flush()
        normaliser = Normaliser(mta.directory, mta.port, [(str(mta.daemon_directory), "<DAEMONS>")])
        return sorted(normaliser.text(text) for text in list(self.datagrams))
