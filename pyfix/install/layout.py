"""Making the folders of an instance."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pyfix.queue.folders import OF_ROOT, OPEN_TO_ALL, OPEN_TO_SET_GID, QUEUE_FOLDERS


@dataclass(frozen=True, slots=True)
class Ids:
    """Numbers of the user and groups that an instance belongs to."""

    owner: int
    owner_group: int
    setgid_group: int


def lay_out(queue_directory: Path, data_directory: Path, ids: Ids | None, *, set_gid: bool) -> None:
    """Make the folders where they are missing and set modes, and owners too if *ids* are given (needs root).

    *set_gid* tells whether ``postdrop`` has the rights of setgid_group; without them, maildrop is open to all.
    """
    queue_directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, mode in QUEUE_FOLDERS.items():
        folder = queue_directory / name
        folder.mkdir(exist_ok=True)
        if ids is not None and name not in OF_ROOT:
            os.chown(folder, ids.owner, ids.setgid_group if name in OPEN_TO_SET_GID else -1)
        folder.chmod(mode if set_gid else OPEN_TO_ALL.get(name, mode))
    if ids is not None:
        os.chown(queue_directory, 0, 0)
        os.chown(queue_directory / "pid", 0, 0)
        os.chown(data_directory, ids.owner, ids.owner_group)
