"""Notice that files are replaced or written anew, from where they can't be read or seen any more.

A watch is made with the rights of root, before chroot; it goes on without them.  Source: inotify(7).
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Final

__all__ = ["FileWatch"]

_CLOSE_WRITE: Final = 0x8
_MOVED_TO: Final = 0x80
_CREATE: Final = 0x100
_CLOEXEC_NONBLOCK: Final = os.O_CLOEXEC | os.O_NONBLOCK
_EVENT: Final = struct.Struct("iIII")
_MOST: Final = 65536


class FileWatch:
    """Watches the folders of some files, and those that symbolic links lead to."""

    def __init__(self, names: Iterable[str]) -> None:
        """Files that are not there may come.  Raises OSError where nothing can be watched."""
        library = ctypes.CDLL(None, use_errno=True)  # the standard library of Python 3.11 has no inotify
        self._fd: int = library.inotify_init1(_CLOEXEC_NONBLOCK)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._files: set[tuple[int, bytes]] = set()
        for name in names:
            for path in {os.path.abspath(name), os.path.realpath(name)}:
                folder, base = os.path.split(os.fsencode(path))
                watch = library.inotify_add_watch(self._fd, folder, _CLOSE_WRITE | _MOVED_TO | _CREATE)
                if watch >= 0:
                    self._files.add((watch, base))

    def fileno(self) -> int:
        """Return the descriptor that can be read when something has changed."""
        return self._fd

    def changed(self) -> bool:
        """Take what has been noticed; tell whether one of the files is concerned."""
        try:
            data = os.read(self._fd, _MOST)
        except BlockingIOError:
            return False
        found, at = False, 0
        while at < len(data):
            watch, _mask, _cookie, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            found = found or (watch, name) in self._files
        return found

    def close(self) -> None:
        """Watch no more."""
        os.close(self._fd)
