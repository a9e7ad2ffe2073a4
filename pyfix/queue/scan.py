"""Scans of a queue: its files, in portions, hashed folders or not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from pyfix.queue.spool import Spool

_is_folder = re.compile(r".", re.DOTALL).fullmatch
_is_queue_id = re.compile(r"[0-9A-Za-z_]{2,}").fullmatch
"""As pyfix.formats.queueid.is_valid; no file name is too long."""


def queue_ids(spool: Spool, queue: str) -> Iterator[tuple[str, str]]:
    """Yield (queue id, path) of the files of *queue*; what comes or goes meanwhile may be seen or not.

    Files whose name is not a queue id, such as those of a writer that is not done with naming, are left out.
    """
    depth = spool.depth if spool.is_hashed(queue) else 0
    return _walk(spool.folder(queue), depth)


def other_names(spool: Spool, queue: str) -> Iterator[str]:
    """Yield the names in *queue* that are neither queue ids nor those of folders of a hashed queue."""
    for folder in (spool.folder(queue), *_folders(spool.folder(queue))):
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        yield from (name for name in names if not _is_queue_id(name) and not _is_folder(name))


def _folders(folder: str) -> Iterator[str]:
    try:
        names = list(filter(_is_folder, os.listdir(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        yield f"{folder}/{name}"
        yield from _folders(f"{folder}/{name}")


def _walk(folder: str, depth: int) -> Iterator[tuple[str, str]]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    found = list(filter(_is_queue_id, names))
    yield from zip(found, map(f"{folder}/".__add__, found), strict=True)
    # Also where the queue is not hashed now: it may have been before.
    for name in filter(_is_folder, names):
        yield from _walk(f"{folder}/{name}", depth - 1)
