"""A spool with messages, and postsuper(1) run in it."""

from __future__ import annotations

import os
from pathlib import Path

from pyfix.commands import postsuper
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import System


def run(*argv: str, input: bytes = b"") -> Done:
    """Run postsuper."""
    return call(postsuper.main, *argv, name="postsuper", input=input)


def put(mail: System, queue: str, name: str, mode: int = 0o700, *, old: bool = False) -> Path:
    """Make a file, hashed as the queue is; *old*: as if it had been there for years."""
    folder = mail.queue / queue / name[0] if queue in ("deferred", "defer") else mail.queue / queue
    if not folder.exists():
        folder.mkdir()
        mail.give(folder)
    path = folder / name
    path.write_bytes(b"x")
    path.chmod(mode)
    mail.give(path)
    if old:
        os.utime(path, (1000, 1000))
    return path


def files(mail: System) -> set[str]:
    """Return the paths of all files below the queues."""
    return {str(path.relative_to(mail.queue)) for path in mail.queue.rglob("*") if path.is_file()}
