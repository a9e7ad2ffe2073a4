"""Asking whether somebody listens: short connects, all at a time, only to what the configuration names."""

from __future__ import annotations

import os
import re
import socket
import stat
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Final

__all__ = ["Endpoint", "parse", "unanswered"]

_PATIENCE: Final = 2.0
"""Seconds for all connects together, looking up names included."""
_INET: Final = re.compile(r"inet:(?:\[(?P<bracketed>[^]]+)\]|(?P<host>[^:]*)):(?P<port>[\w-]+)")
_PORTS: Final = {"smtp": 25, "submission": 587, "lmtp": 24, "smtps": 465, "submissions": 465}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where somebody should listen."""

    path: str = ""
    """A local socket's path, or empty."""
    host: str = ""
    port: str = ""

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"

    @property
    def complaint(self) -> str:
        """Connect; return why that fails, empty when somebody answers."""
        if self.path:
            try:
                if not stat.S_ISSOCK(os.stat(self.path).st_mode):
                    return "no socket"
            except OSError as error:
                return error.strerror or "can't be found"
        try:
            if self.path:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                    client.settimeout(_PATIENCE)
                    client.connect(self.path)
                return ""
            port = _PORTS.get(self.port, self.port)
            with socket.create_connection((self.host or "127.0.0.1", int(port)), timeout=_PATIENCE):
                return ""
        except ValueError:
            return "unknown port"
        except TimeoutError:
            return "no answer"
        except OSError as error:
            return error.strerror or str(error)


def parse(text: str, queue_directory: str, *, jailed: bool = False) -> Endpoint | None:
    """Return the endpoint that ``inet:host:port``, ``unix:path`` or ``local:path`` names, else None.

    A relative path counts from the queue directory, as does an absolute one in a *jailed* program.
    """
    match = _INET.match(text)
    if match is not None:
        return Endpoint(host=match["bracketed"] or match["host"], port=match["port"])
    kind, _, path = text.partition(":")
    if kind in ("unix", "local") and path:
        inside = not path.startswith("/") or jailed
        return Endpoint(path=f"{queue_directory}/{path.lstrip('/')}" if inside else path)
    return None


def unanswered(endpoints: Iterable[Endpoint]) -> dict[Endpoint, str]:
    """Connect to all of them side by side; return those that do not answer, and why."""
    outcomes: dict[Endpoint, str] = {}

    def ask(endpoint: Endpoint) -> None:
        outcomes[endpoint] = endpoint.complaint

    wanted = list(dict.fromkeys(endpoints))
    # Threads that nobody waits for at the end: a name server that does not answer may hold one up.
    threads = [threading.Thread(target=ask, args=(endpoint,), daemon=True) for endpoint in wanted]
    for thread in threads:
        thread.start()
    deadline = monotonic() + _PATIENCE + 0.5
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    return {endpoint: reason for endpoint in wanted if (reason := outcomes.get(endpoint, "no answer"))}
