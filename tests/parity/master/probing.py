"""Instances in which the probe is a service."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import sys
from pathlib import Path
from typing import Any

from tests.kit.instance import Instance

PROBE = Path(__file__).with_name("probe.py").read_text().replace("/usr/bin/env python3", sys.executable + " -IS")
PROGRAM = "../" * 16 + "..{dir}/etc/probe"
"""The probe as a master.cf command, which is relative to daemon_directory."""
FILES = {"probe": PROBE}
QUICK = {"service_throttle_time": "1s"}


class Visitor:
    """A client of the probe."""

    def __init__(self, mta: Instance, service: str | int, timeout: float = 20) -> None:
        """Connect to a socket below the spool, or to a port."""
        self._mta = mta
        if isinstance(service, int):
            self.socket = socket.create_connection(("127.0.0.1", service), timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(mta.queue_directory / service))
        self._lines = self.socket.makefile("rb")

    def report(self) -> dict[str, Any]:
        """Return what the probe says of itself."""
        found: dict[str, Any] = json.loads(self._lines.readline())
        return found

    def is_served(self) -> bool:
        """Tell whether a process has taken this client when all is at rest, and read its report."""
        self._mta.settle()
        ready, _, _ = select.select([self.socket], [], [], 0)
        return bool(ready and self._lines.readline())

    def order(self, text: str) -> None:
        """Let the probe do something and wait for its word, or for its end."""
        self.socket.sendall(text.encode())
        try:
            self._lines.readline()
        except ConnectionError:
            pass

    def close(self) -> None:
        """Leave."""
        self._lines.close()
        self.socket.close()


def visit(mta: Instance, service: str | int) -> dict[str, Any]:
    """Return the probe's report, and leave."""
    visitor = Visitor(mta, service)
    found = visitor.report()
    visitor.close()
    return found


def stable(mta: Instance, text: str) -> str:
    """Return a text without what differs between two instances."""
    text = re.sub(r"\S*/etc/probe", "<PROBE>", text)
    text = text.replace(str(mta.directory), "<DIR>").replace(str(mta.port), "<PORT>")
    return re.sub(r"pid \d+", "pid <PID>", text)


def master_lines(mta: Instance) -> list[str]:
    """Return what master has logged since its start, without time and process id."""
    mta.settle()
    lines = []
    for line in mta.log_lines():
        found = re.search(r" postfix/master\[\d+\]: (.*)", line)
        if found and "daemon started" not in found[1]:
            lines.append(stable(mta, found[1]))
    return lines


def starts(mta: Instance) -> list[str]:
    """Return the command lines of all probes that were started."""
    path = mta.config_directory / "probe.started"
    return path.read_text().splitlines() if path.exists() else []


def exists(pid: int) -> bool:
    """Tell whether a process has not ended yet."""
    return os.path.exists(f"/proc/{pid}")
