"""The logs of fast flush: for each site the ids of the messages that wait for it.

One file a site below ``flush/``, its name made of the site's; one queue id a line.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from typing import Final

from pyfix.queue.spool import FLUSH, Spool

_FILE_MODE: Final = 0o600
_OTHER: Final = re.compile(r"[^0-9a-z]")
_MOST_IDS: Final = 10000


def site_file(site: str) -> str:
    """Return the file name for a site: lower case, everything but letters and digits an underscore."""
    return _OTHER.sub("_", site.lower())


class SiteLogs:
    """The logs in one spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def add(self, site: str, queue_id: str) -> None:
        """Note that a message waits for a site.  Raises OSError."""
        path = self._spool.path(FLUSH, site_file(site))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            fd = os.open(path, flags, _FILE_MODE)
        except FileNotFoundError:
            self._spool.make_folders(path)
            fd = os.open(path, flags, _FILE_MODE)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.write(fd, queue_id.encode("ascii", "replace") + b"\n")
        finally:
            os.close(fd)

    def take(self, name: str) -> list[str]:
        """Return the ids in a log, each once, and empty the log; *name* is the file's.  Raises OSError."""
        try:
            fd = os.open(self._spool.path(FLUSH, name), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        with os.fdopen(fd, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            ids = list(dict.fromkeys(file.read().decode("ascii", "replace").split()))
            file.truncate(0)
        return ids[:_MOST_IDS]

    def put_back(self, name: str, queue_ids: list[str]) -> None:
        """Write ids to a log again.  Raises OSError."""
        if queue_ids:
            with open(self._spool.path(FLUSH, name), "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write("".join([f"{queue_id}\n" for queue_id in queue_ids]).encode("ascii", "replace"))

    def names(self) -> list[str]:
        """Return the file names of all logs, hashed folders looked through."""
        found = []
        folders = [(self._spool.folder(FLUSH), self._spool.depth if self._spool.is_hashed(FLUSH) else 0)]
        while folders:
            folder, depth = folders.pop()
            for entry in os.scandir(folder):
                if depth and len(entry.name) == 1:
                    folders.append((entry.path, depth - 1))
                elif entry.is_file(follow_symlinks=False):
                    found.append(entry.name)
        return found

    def age(self, name: str) -> float:
        """Return the seconds since a log was last written, 0 for one that is gone."""
        try:
            return time.time() - os.stat(self._spool.path(FLUSH, name)).st_mtime
        except FileNotFoundError:
            return 0.0

    def remove_if_empty(self, name: str) -> None:
        """Delete a log that has no ids any more."""
        path = self._spool.path(FLUSH, name)
        try:
            if os.stat(path).st_size == 0:
                os.unlink(path)
        except FileNotFoundError:
            pass
