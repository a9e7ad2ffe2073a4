"""A deferred queue with many real files, made of copies of one that cleanup(8) wrote."""

from __future__ import annotations

import os
import signal
import time
from typing import Final

from tests.kit.instance import Instance

FOLDERS: Final = "0123456789ABCDEF"
"""Where the files are, by the first digit of their queue ids (hash_queue_depth is 1)."""


def sample(instance: Instance, recipient: str) -> bytes:
    """Return a queue file for *recipient*, as a running instance has it in incoming before qmgr(8) has seen it."""
    pids = instance.pids_of("qmgr")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        content = instance.spool_file(instance.send_message(recipient)).read_bytes()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    instance.wait_until_empty()
    return content


def make_folders(instance: Instance) -> None:
    """Make the folders of the deferred queue."""
    folder = instance.queue_directory / "deferred"
    owner = (instance.queue_directory / "incoming").stat()
    for digit in FOLDERS:
        (folder / digit).mkdir(mode=0o700, exist_ok=True)
        os.chown(folder / digit, owner.st_uid, owner.st_gid)


def fill(instance: Instance, content: bytes, count: int, age: float) -> None:
    """Put *count* copies into deferred, due since *age* seconds; less than 0: due later."""
    folder = instance.queue_directory / "deferred"
    owner = (instance.queue_directory / "incoming").stat()
    make_folders(instance)
    due = time.time() - age
    for number in range(count):
        # A short queue id: microseconds in five digits, and the inode.
        fd = os.open(folder / "new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        os.write(fd, content)
        os.fchown(fd, owner.st_uid, owner.st_gid)
        os.utime(fd, (due, due))
        queue_id = f"{number * 7919 % 1_000_000:05X}{os.fstat(fd).st_ino:X}"
        os.close(fd)
        os.rename(folder / "new", folder / queue_id[0] / queue_id)
