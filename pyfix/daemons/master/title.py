"""What ps(1) and top(1) show of a forked child: the daemon's name and command line instead of master's."""

from __future__ import annotations

import os
from collections.abc import Sequence

_ARGUMENTS_START, _ARGUMENTS_END, _ENVIRONMENT_END = 48, 49, 51  # fields of proc(5) /proc/PID/stat, counted from 1
_FIRST_AFTER_NAME = 3
_SHOWN_NAME = 15


class TitleArea:
    """The part of the process's memory that the kernel shows as its command line.

    It is found once, in master; a child has it at the same place.  Where /proc is missing, titles stay as they are.
    """

    def __init__(self) -> None:
        self._start = self._arguments = self._size = 0
        try:
            with open("/proc/self/stat", "rb") as status:
                fields = status.read().rpartition(b")")[2].split()
        except OSError:
            return
        self._start = int(fields[_ARGUMENTS_START - _FIRST_AFTER_NAME])
        self._arguments = int(fields[_ARGUMENTS_END - _FIRST_AFTER_NAME]) - self._start
        self._size = int(fields[_ENVIRONMENT_END - _FIRST_AFTER_NAME]) - self._start

    def show(self, argv: Sequence[str]) -> None:
        """Name this process after *argv*.

        The environment's first strings, which lie behind the arguments, must not be in use any more.
        """
        try:
            _write("/proc/self/comm", argv[0].encode()[:_SHOWN_NAME], None)
            if self._size > 1:
                _write("/proc/self/mem", self._title(argv), self._start)
        except OSError:
            pass  # a cosmetic matter

    def _title(self, argv: Sequence[str]) -> bytes:
        title = "\0".join(argv).encode("utf-8", "surrogateescape")
        if len(title) < self._arguments:
            return title.ljust(self._arguments, b"\0")
        # Beyond the arguments the kernel takes the text up to its first NUL for a title, blanks and all.
        return title.replace(b"\0", b" ")[: self._size - 1].ljust(self._size, b"\0")


def _write(path: str, data: bytes, offset: int | None) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        if offset is None:
            os.write(fd, data)
        else:
            os.pwrite(fd, data, offset)
    finally:
        os.close(fd)


def detach_environment(environment: dict[str, str]) -> None:
    """Make *environment* that of this process, in memory of its own: the place of the old one is free then."""
    os.environ.clear()
    os.environ.update(environment)
