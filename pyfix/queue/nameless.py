"""Files that get their name when they are complete (open(2) O_TMPFILE), so that nothing of an incomplete one can stay.

One such file may be kept ready in a process that has nothing else to do, for the next message not to wait for it.
"""

from __future__ import annotations

import os
import time
from typing import Final

from pyfix.queue.spool import READY_MODE, WRITING_MODE

_TMPFILE: Final = getattr(os, "O_TMPFILE", 0)
_CREATE: Final = os.O_RDWR | _TMPFILE | os.O_CLOEXEC


class NamelessFiles:
    """What one process knows of files without names in one folder."""

    __slots__ = ("_folder", "_spare", "links")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.links = _open_links(folder)
        """The open folder of links to this process's descriptors; -1 when files can't be named later."""
        self._spare: tuple[int, int] | None = None

    def open(self) -> tuple[int, int]:
        """Return descriptor and inode number of an empty file, mode 0700 when it gets its name.  Raises OSError."""
        if self._spare is not None:
            spare, self._spare = self._spare, None
            return spare
        fd = os.open(self._folder, _CREATE, READY_MODE)
        try:
            return fd, os.fstat(fd).st_ino
        except BaseException:
            os.close(fd)
            raise

    def close(self) -> None:
        """Close what is kept open."""
        for fd in (self.links, self._spare[0] if self._spare is not None else -1):
            if fd >= 0:
                os.close(fd)
        self.links, self._spare = -1, None

    def keep_spare(self) -> None:
        """Make the file that the next open() returns, unless there is one."""
        if self._spare is None and self.links >= 0:
            try:
                self._spare = self.open()
            except OSError:
                pass  # open() will say so when it is needed


_known: dict[str, NamelessFiles] = {}
"""By folder."""


def nameless_files(folder: str) -> NamelessFiles:
    """Return what this process knows of files without names in *folder*."""
    found = _known.get(folder)
    if found is None:
        found = _known[folder] = NamelessFiles(folder)
    return found


def forget_folders() -> None:
    """Close what this process keeps open for all folders."""
    while _known:
        _known.popitem()[1].close()


def _forget() -> None:
    """Begin anew in a child: the folder of links is that of the process which opened it."""
    _known.clear()


os.register_at_fork(after_in_child=_forget)


def _open_links(folder: str) -> int:
    if not _TMPFILE:
        return -1
    try:
        links = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return -1
    # What the file system, its mount options and the security policies allow is best found out by doing it once.
    name = f"{folder}/{time.time_ns() // 1000 % 1_000_000}.{os.getpid()}"
    try:
        fd = os.open(folder, _CREATE, WRITING_MODE)
        try:
            os.link(str(fd), name, src_dir_fd=links)
            os.unlink(name)
        finally:
            os.close(fd)
    except OSError:
        os.close(links)
        return -1
    return links
