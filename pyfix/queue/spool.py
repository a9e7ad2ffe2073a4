"""The spool: folders, hashed or not, and the files in them."""

from __future__ import annotations

import os
from collections.abc import Collection

from pyfix.formats.queueid import hash_folders

TYPE_CHECKING = False  # typing costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

INCOMING: Final = "incoming"
ACTIVE: Final = "active"
DEFERRED: Final = "deferred"
HOLD: Final = "hold"
CORRUPT: Final = "corrupt"
MAILDROP: Final = "maildrop"
BOUNCE: Final = "bounce"
DEFER: Final = "defer"
TRACE: Final = "trace"
FLUSH: Final = "flush"
SAVED: Final = "saved"

WRITING_MODE: Final = 0o600
"""The file is being written: nobody but its writer may touch it."""
READY_MODE: Final = 0o700
"""The file is complete."""
UNTHROTTLE_BIT: Final = 0o040
"""Deliver at once, whatever is known of dead destinations (postqueue -i)."""
EXPIRE_BIT: Final = 0o010
"""Return to sender now (postsuper -e)."""

_FOLDER_MODE: Final = 0o700


class Spool:
    """Paths below queue_directory, which is the working directory of daemons.

    *hash_names* and *hash_depth* are postconf(5) hash_queue_names and hash_queue_depth.
    """

    __slots__ = ("_depth", "_hashed", "root")

    def __init__(self, hash_names: Collection[str], hash_depth: int, root: str = "") -> None:
        self.root = root.rstrip("/") + "/" if root else ""
        """queue_directory with a slash, or nothing for a process that works there."""
        self._hashed = frozenset(hash_names)
        self._depth = hash_depth

    def is_hashed(self, queue: str) -> bool:
        """Tell whether the files of *queue* are spread over folders."""
        return queue in self._hashed

    @property
    def depth(self) -> int:
        """Levels of folders below a hashed queue."""
        return self._depth

    def path(self, queue: str, queue_id: str) -> str:
        """Return the path of one file."""
        if queue in self._hashed:
            return f"{self.root}{queue}/{hash_folders(queue_id, self._depth)}{queue_id}"
        return f"{self.root}{queue}/{queue_id}"

    def folder(self, queue: str) -> str:
        """Return the path of a queue."""
        return self.root + queue

    def rename(self, queue_id: str, source: str, target: str) -> None:
        """Move a file to another queue, whose hashed folder is made when it is missing.

        Raises OSError, FileNotFoundError when the file is not there.
        """
        old = self.path(source, queue_id)
        new = self.path(target, queue_id)
        try:
            os.rename(old, new)
        except FileNotFoundError:
            if target not in self._hashed or not os.path.lexists(old):
                raise
            self.make_folders(new)
            os.rename(old, new)

    def make_folders(self, path: str) -> None:
        """Make the hashed folders that lead to *path*."""
        missing = []
        folder = os.path.dirname(path)
        while folder and not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for folder in reversed(missing):
            try:
                os.mkdir(folder, _FOLDER_MODE)
            except FileExistsError:
                pass
