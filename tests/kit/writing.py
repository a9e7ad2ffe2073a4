"""Writing files that other processes read at any moment."""

from __future__ import annotations

import os
from pathlib import Path


def write_at_once(path: Path, content: bytes, *, mode: int = 0o644, changed: float | None = None) -> None:
    """Give *path* new content in one step, so that a reader finds the old one or the new one, whole.

    A daemon that starts while main.cf is empty takes all defaults, /var/spool/postfix among them, and dies of it; the
    real master then starts no other of its kind for a minute.  *changed*: seconds since the epoch; default: now.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.write_bytes(content)
    new.chmod(mode)
    if changed is not None:
        os.utime(new, (changed, changed))
    new.replace(path)
