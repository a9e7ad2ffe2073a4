"""A queue manager that runs, with messages for it; the services around it are the test's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyfix.daemons.qmgr import daemon as qmgr
from pyfix.formats import records
from pyfix.formats.queuefile import SIZE_RECORD_BYTES, Sizes
from pyfix.formats.records import encode_attribute, encode_lines, encode_record
from tests.unit.daemons.running import SECONDS, Running, System, running


def put(
    system: System, *recipients: str, queue: str = "incoming", queue_id: str = "ABC123", mode: int = 0o700, sender: str = "s@x.example",
    extra: bytes = b"", created: int | None = None, flags: int = 0,
) -> Path:  # fmt: skip
    """Queue a message."""
    now = int(time.time()) if created is None else created
    head = encode_record(records.TIME, b"%d 0" % now) + encode_attribute("create_time", str(now)) + encode_record(records.SENDER, sender.encode())
    head += extra + b"".join(encode_record(records.RECIPIENT, name.encode()) for name in recipients)
    head += encode_record(records.MESSAGE)
    content = encode_lines([b"Subject: x", b"", b"hello"])
    sizes = Sizes(len(content), SIZE_RECORD_BYTES + len(head), len(recipients), flags, len(content), 0)
    path = folder(system, queue, queue_id) / queue_id
    if not path.parent.exists():  # only before the queue manager runs, which makes it too
        path.parent.mkdir()
        system.give(path.parent)
    path.write_bytes(sizes.encode() + head + content + encode_record(records.EXTRACTED) + encode_record(records.END))
    path.chmod(mode)
    system.give(path)
    return path


def folder(system: System, queue: str, queue_id: str) -> Path:
    """Return the folder of a file; deferred and defer are hashed."""
    path = system.queue / queue
    return path / queue_id[0] if queue in ("deferred", "defer") else path


def deferred(system: System, queue_id: str = "ABC123") -> Path:
    """Return where a message is when it waits."""
    return folder(system, "deferred", queue_id) / queue_id


def due(path: Path) -> float:
    """Return in how many seconds a message is tried again."""
    return path.stat().st_mtime - time.time()


def soon(condition: Callable[[], object], what: object = "") -> None:
    """Wait until something is so."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.002)


@contextmanager
def managing(system: System, **main: object) -> Iterator[Running]:
    """Run the queue manager for the time of the block."""
    system.write_main(**main)
    for name in ("deferred", "defer"):
        path = folder(system, name, "ABC123")
        if not path.exists():
            path.mkdir()
            system.give(path)
    with running(qmgr.main, system, "qmgr", "-l") as daemon:
        yield daemon


def wake(daemon: Running, requests: bytes = b"I") -> None:
    """Trigger a scan."""
    client = daemon.connect()
    client.socket.sendall(requests)
    client.close()


def set_time(path: Path, seconds: float) -> None:
    """Let a message be due in some seconds."""
    os.utime(path, (time.time() + seconds,) * 2)
