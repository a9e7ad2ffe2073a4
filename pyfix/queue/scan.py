"""Scans of a queue: its files, in portions, hashed folders or not."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pyfix.formats.queueid import is_valid
from pyfix.queue.spool import Spool

_FOLDER_NAME_LENGTH = 1


def queue_ids(spool: Spool, queue: str) -> Iterator[tuple[str, str]]:
    """Yield (queue id, path) of the files of *queue*; what comes or goes meanwhile may be seen or not.

    Files whose name is not a queue id, such as those of a writer that is not done with naming, are left out.
    """
    depth = spool.depth if spool.is_hashed(queue) else 0
    return _walk(spool.folder(queue), depth)


def _walk(folder: str, depth: int) -> Iterator[tuple[str, str]]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if len(name) == _FOLDER_NAME_LENGTH:
            # Also where the queue is not hashed now: it may have been before.
            yield from _walk(f"{folder}/{name}", depth - 1)
        elif is_valid(name):
            yield name, f"{folder}/{name}"
