"""The test generators and test servers of each side, run for a moment."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .ports import ReservedPort
from .processes import wait_until
from .programs import CHECKOUT
from .reference import reference
from .smtp import Dialogue

_LONGEST = 30.0


def tool(kind: str, name: str) -> str:
    """Return the path of the tool *name* of one side, ``reference`` or ``pyfix``."""
    if kind == "reference":
        return str(reference().command_directory / name)
    return str(CHECKOUT / "bin" / name)


class Sink:
    """A test server that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port
        self.output = b""
        """What it has written to both outputs, when it has ended."""

    def end(self) -> int:
        """Wait until it ends by itself; return its exit status."""
        self.output = self._process.communicate(timeout=_LONGEST)[0]
        return self._process.returncode


@contextmanager
def sink(kind: str, name: str, *options: str, host: str = "127.0.0.1") -> Iterator[Sink]:
    """Run smtp-sink or qmqp-sink at a port of its own; no *host* is all of them."""
    reserved = ReservedPort()
    user = ["-u", "nobody"] if name == "smtp-sink" else []
    argv = [tool(kind, name), *user, *options, f"{host}:{reserved.number}", "100"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert wait_until(lambda: _listens(reserved.number) or process.poll() is not None, _LONGEST)
        yield Sink(process, reserved.number)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        reserved.release()


def _listens(port: int) -> bool:
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return any(f":{port:04X} 00000000:0000 0A" in line for line in lines)


def source(kind: str, name: str, port: int, *options: str) -> tuple[int, str]:
    """Run smtp-source or qmqp-source to its end; return exit status and what it said."""
    program = tool(kind, name)
    argv = [program, *options, *([f"127.0.0.1:{port}"] if port else [])]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=_LONGEST)
    return done.returncode, (done.stdout + done.stderr).decode().replace(program, name)


def conversation(kind: str, options: Sequence[str], lines: Sequence[bytes]) -> list[str]:
    """Say *lines* to a smtp-sink; return its greeting and replies."""
    with sink(kind, "smtp-sink", *options) as server, Dialogue("127.0.0.1", server.port) as client:
        replies = [client.greeting]
        for line in lines:
            replies += client.say(line)
        return replies


def seconds(kind: str, name: str, port: int, *options: str) -> float:
    """Return how long a generator takes."""
    start = time.monotonic()
    status, said = source(kind, name, port, *options)
    assert status == 0, said
    return time.monotonic() - start
