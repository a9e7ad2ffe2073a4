"""What checks need to know of the machine: its gateways, its file systems, its system logger, the time.

Source: proc(5) /proc/net/route, /proc/net/ipv6_route, /proc/self/mounts.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Host"]

_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
_GATEWAY_FLAG = 0x2


@dataclass(frozen=True, slots=True)
class Host:
    """The machine that is looked at."""

    gateways: tuple[str, ...] = ()
    """The addresses of the default gateways, IPv4 first."""
    in_container: bool = False
    mounts: tuple[tuple[str, str], ...] = (("/", "ext4"),)
    """Mount points and the types of their file systems, in the order of mounting."""
    has_syslog: bool = True
    """Whether a system logger listens."""
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @classmethod
    def read(cls) -> Host:
        """Ask the kernel."""
        return cls(
            gateways=tuple(dict.fromkeys((*_gateways("/proc/net/route"), *_gateways6("/proc/net/ipv6_route")))),
            in_container=any(os.path.exists(path) for path in _CONTAINER_MARKS),
            mounts=tuple((fields[1], fields[2]) for fields in _lines("/proc/self/mounts") if len(fields) > 2),
            has_syslog=os.path.exists("/dev/log"),
            now=datetime.now(UTC),
        )

    def file_system(self, path: str) -> str:
        """Return the type of the file system that *path* is on."""
        real = os.path.realpath(path)
        best, kind = "", ""
        for point, type_ in self.mounts:
            if f"{real}/".startswith(f"{point.rstrip('/')}/") and len(point) >= len(best):
                best, kind = point, type_
        return kind


def _lines(path: str) -> list[list[str]]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.split() for line in file]
    except OSError:
        return []


def _gateways(path: str) -> Iterator[str]:
    for fields in _lines(path)[1:]:
        if len(fields) > 3 and fields[1] == "00000000" and int(fields[3], 16) & _GATEWAY_FLAG:
            yield socket.inet_ntop(socket.AF_INET, int(fields[2], 16).to_bytes(4, "little"))


def _gateways6(path: str) -> Iterator[str]:
    for fields in _lines(path):
        if len(fields) > 8 and fields[0] == "0" * 32 and fields[1] == "00" and int(fields[8], 16) & _GATEWAY_FLAG:
            yield socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[4]))
