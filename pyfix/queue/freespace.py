"""Room that is left in the file system of the queue.

Source: postconf(5) queue_minfree, message_size_limit.
"""

from __future__ import annotations

import os
from typing import Final

MESSAGE_FACTOR: Final = 1.5
"""There must be room for this many messages of the largest size."""


def free_bytes(path: str = ".") -> int:
    """Return the bytes that an ordinary user may still write in the file system of *path*.  Raises OSError."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def has_room(minimum: int, limit: int, path: str = ".") -> bool:
    """Tell whether a new message may come in.

    *minimum* is queue_minfree, *limit* message_size_limit, both in bytes; 0 switches the one or the other off.
    Raises OSError.
    """
    free = free_bytes(path)
    if minimum and free < minimum:
        return False
    return not limit or free / MESSAGE_FACTOR >= limit
