"""Files and links that belong to somebody else, for tests as root."""

from __future__ import annotations

import os
from pathlib import Path


def owned_file(path: Path, owner: int, group: int = -1, mode: int = 0o600, text: str = "before\n") -> Path:
    """Write a file and give it away; *group* -1 leaves it in ours.  Return its path."""
    path.write_text(text)
    os.chown(path, owner, group)
    path.chmod(mode)
    return path


def owned_link(path: Path, target: Path, owner: int) -> None:
    """Make a symbolic link and give it away."""
    path.symlink_to(target)
    os.lchown(path, owner, owner)
