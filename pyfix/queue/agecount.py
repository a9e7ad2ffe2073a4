"""Addresses in queue files counted by domain and by how long they have been there.

Source: qshape(1), QSHAPE_README.
"""

from __future__ import annotations

import math
import os
import re
import stat

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

TOTAL = b"TOTAL"
_NAME = re.compile(r"[A-Za-z0-9]{6,}\Z")
_MODE_MASK, _MODE = 0o733, 0o700
_MAX_LENGTH_SHIFT = 14
_SECONDS = 60
_PARENT = re.compile(rb"\.?[^.]+\.(.*\.)")


class BadFile(Exception):
    """The file is no queue file, or not a complete one."""


class AgeCount:
    """Counts by domain: each a list with the total first and then one number for each range of ages."""

    def __init__(self, now: float, ranges: int, minutes: float, *, linear: bool, parents: bool) -> None:
        """The first of *ranges* ends after *minutes*, each other after twice the age of the one before it.

        *linear*: all are as long as the first.  *parents*: count domains that others belong to, with a leading dot.
        """
        self._now = now
        self._ranges = ranges
        self._minutes = minutes
        self._linear = linear
        self._parents = parents
        self.counts: dict[bytes, list[int]] = {TOTAL: [0] * (ranges + 1)}
        self.subdomains: dict[bytes, int] = {}
        """How many domains belong to a parent domain."""

    def range_of(self, time: float) -> int:
        """Return the number of the range, from 1, that something of that *time* (seconds since the epoch) is in."""
        units = (self._now - time) / (_SECONDS * self._minutes)
        if units < 1:
            return 1
        number = int(units + 1) if self._linear else 2 + int(math.log(units) / math.log(2))
        return min(number, self._ranges)

    def add(self, time: float, address: bytes) -> None:
        """Count one address."""
        which = self.range_of(time)
        self._count(TOTAL, which)
        domain = _domain(address)
        new = False
        while True:
            if new:
                self.subdomains[domain] = self.subdomains.get(domain, 0) + 1
            new = self._count(domain, which) == 1
            parent = _PARENT.match(domain) if self._parents else None
            if parent is None:
                return
            domain = b"." + parent[1] + domain[parent.end() :]

    def _count(self, domain: bytes, which: int) -> int:
        counts = self.counts.setdefault(domain, [0] * (self._ranges + 1))
        counts[0] += 1
        counts[which] += 1
        return counts[0]


def _domain(address: bytes) -> bytes:
    domain = (address.lower() or b"MAILER-DAEMON").rpartition(b"@")[2].replace(b"..", b".")
    if len(domain) > 1 and domain.startswith(b"."):
        domain = domain[1:]
    return domain[:-1] if len(domain) > 1 and domain.endswith(b".") else domain


def read_addresses(path: str) -> tuple[float, bytes, list[bytes]]:
    """Return arrival time, sender and recipients of a queue file.  Raises BadFile."""
    try:
        status = os.lstat(path)
        if not _NAME.match(os.path.basename(path)) or not stat.S_ISREG(status.st_mode):
            raise BadFile(path)
        if status.st_mode & _MODE_MASK != _MODE:
            raise BadFile(path)
        with open(path, "rb") as file:
            return _envelope(file, status.st_mtime)
    except OSError as error:
        raise BadFile(path) from error


def _record(file: BinaryIO) -> tuple[bytes, bytes]:
    """Return kind and data of the next record.  Raises BadFile at the end."""
    kind = file.read(1)
    length = shift = 0
    while digit := file.read(1):
        length |= (digit[0] & 0x7F) << shift
        if not digit[0] & 0x80:
            break
        shift += 7
        if shift > _MAX_LENGTH_SHIFT:
            raise BadFile("a record that is too long")
    data = file.read(length)
    if not kind or len(data) != length:
        raise BadFile("no record")
    if kind == b"p" and data.strip().isdigit() and int(data):
        file.seek(int(data))
    return kind, data


def _envelope(file: BinaryIO, modified: float) -> tuple[float, bytes, list[bytes]]:
    kind, data = _record(file)
    size, sender = None, None
    if kind == b"C":
        numbers = data.split()
        size = int(numbers[0]) if len(numbers) > 2 and numbers[0].isdigit() else None
        kind, data = _record(file)
        if kind != b"T" or not data.split():
            raise BadFile("no time")
        time = float(data.split()[0])
    elif kind in (b"S", b"F"):  # of the maildrop folder
        time = float(int(modified))
        if kind == b"F":
            kind, data = _record(file)
        if kind != b"S":
            raise BadFile("no sender")
        sender = data
    else:
        raise BadFile("no queue file")
    recipients: list[bytes] = []
    while True:
        kind, data = _record(file)
        if kind == b"R":
            recipients.append(data)
        elif kind == b"S":
            sender = data
        elif kind == b"M" and sender is not None:
            if _behind_content(file, size) != b"X":
                raise BadFile("no end of the content")
        elif kind in (b"E", b"M"):
            if sender is None or not recipients:
                raise BadFile("no sender or recipient")
            return time, sender, recipients


def _behind_content(file: BinaryIO, size: int | None) -> bytes:
    if size is not None:
        file.seek(size, os.SEEK_CUR)
        return _record(file)[0]
    while (kind := _record(file)[0]) in (b"N", b"L", b"p"):
        pass
    return kind


def files_below(folder: str, complain: Callable[[OSError], None]) -> Sequence[str]:
    """Return the paths of all files below a folder, links not followed."""
    try:
        os.lstat(folder)
    except OSError as error:
        complain(error)
        return []
    if not os.path.isdir(folder):
        return [folder]
    return [f"{place}/{name}" for place, _folders, names in os.walk(folder) for name in names]
