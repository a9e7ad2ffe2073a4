"""Logs of bounce(8) that a message left behind when the machine stopped: a later message must not find them as its own.

A short queue id comes again when a file gets the inode of an earlier one in the same microsecond of another second.
Removing three files that are hardly ever there costs as much as writing the message, so what is in the folders of logs
is known from their times of change, which are looked at once for all messages that arrive together.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from typing import Final

from pyfix.formats.queueid import hash_folders
from pyfix.queue.spool import BOUNCE, DEFER, TRACE, Spool

_LOGS: Final = (DEFER, BOUNCE, TRACE)
_SETTLED: Final = 2_000_000_000
"""Nanoseconds after which a folder that changes again gets another time of change, whatever steps its clock takes."""
_MOST_NAMES: Final = 1000
_MOST_FOLDERS: Final = 1000


def remove_logs(spool: Spool, queue_id: str) -> list[str]:
    """Remove the logs of bounce(8) for *queue_id*; return the names of those that were there."""
    found = []
    for log in _LOGS:
        try:
            os.unlink(spool.path(log, queue_id))
        except FileNotFoundError:
            continue
        found.append(log)
    return found


class StaleLogs:
    """What one process knows of the logs that are there."""

    def __init__(self, spool: Spool) -> None:
        self._spool: Final = spool
        self.looks = 0
        """How many times the folders have been looked at; who makes a file remembers the number for remove()."""
        self._suspects: dict[str, Collection[str] | None] = {}
        """By hashed folder: the queue ids for which the last look found logs; None: any may have one."""
        self._found: dict[str, Collection[str] | None] = {}
        """What the last look found in each folder."""
        self._listed: dict[str, tuple[int, Collection[str] | None]] = {}
        """Folders that have settled: time of change, and the names in them (None: too many)."""

    def remove(self, queue_id: str, made: int) -> Collection[str]:
        """Remove the logs of another message with the same queue id, and return their names.

        *made* is what ``looks`` was when the message's file had been made: a log that is seen by a later look only
        would be one of this message.
        """
        if made == self.looks:
            self.looks += 1
            self._suspects.clear()
            self._found.clear()
        folders = hash_folders(queue_id, self._spool.depth)
        if folders not in self._suspects:
            self._suspects[folders] = self._look(queue_id)
        suspects = self._suspects[folders]
        return remove_logs(self._spool, queue_id) if suspects is None or queue_id in suspects else ()

    def _look(self, queue_id: str) -> Collection[str] | None:
        """Return the ids that have logs in the folders in which those of *queue_id* would be."""
        suspects: set[str] = set()
        for log in _LOGS:
            folder = self._spool.path(log, queue_id)[: -len(queue_id)]
            if folder not in self._found:
                self._found[folder] = self._names(folder)
            names = self._found[folder]
            if names is None:
                return None
            suspects.update(names)
        return suspects

    def _names(self, folder: str) -> Collection[str] | None:
        """Return the names in *folder*, None when that would take too long or they may change unseen."""
        try:
            changed = os.stat(folder).st_mtime_ns
            listed = self._listed.get(folder)
            if listed is None or listed[0] != changed:
                if time.time_ns() - changed < _SETTLED:
                    return None
                names = os.listdir(folder)
                if len(self._listed) >= _MOST_FOLDERS:
                    self._listed.clear()
                listed = self._listed[folder] = (changed, None if len(names) > _MOST_NAMES else frozenset(names))
        except FileNotFoundError:
            return ()  # a hashed folder is made with the first file in it
        except OSError:
            return None
        return listed[1]
