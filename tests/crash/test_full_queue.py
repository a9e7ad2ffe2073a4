"""The queue's file system is full while mail comes in from all sides: nothing that was accepted is lost, and all is delivered
when there is room again.

Source: postconf(5) queue_minfree, message_size_limit.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.load import Load
from tests.crash.test_kill import MAIN, MASTER, RECIPIENTS, SEED, flush_until_empty, left_behind, lost
from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


@contextmanager
def _small_queue(mta: Instance, size: str) -> Iterator[Path]:
    """Let the queue be on a file system of *size*; yield a file there that takes room away."""
    disk = mta.directory / "small"
    disk.mkdir()
    queue = mta.queue_directory
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "pyfix-test", disk], capture_output=True, check=False)
    if done.returncode:
        requirements.missing(f"no file system can be mounted here: {done.stderr!r}")
    try:
        subprocess.run(["cp", "-a", f"{queue}/.", disk], check=True)
        subprocess.run(["mount", "--bind", disk, queue], check=True)
        try:
            yield disk / "ballast"
        finally:
            mta.stop()
            subprocess.run(["umount", "-l", queue], check=True)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("limit", ["20000000", "0"], ids=["told before", "found out"])
def test_no_room(new_instance: Callable[..., Instance], limit: str) -> None:
    """With the limits of smtpd(8) there is always room for a message that it lets in; without, cleanup(8) finds out."""
    main = {"message_size_limit": limit, "mailbox_size_limit": "0", "virtual_mailbox_limit": "0"}
    mta = new_instance(main=MAIN | main, master=MASTER)
    expected = "452 4.3.1 Insufficient system storage" if limit != "0" else "451 4.3.0 Error: queue file write error"
    with _small_queue(mta, "40m" if limit != "0" else "6m") as ballast:
        mta.write_main(defer_transports="later, virtual, local, discard, error")
        mta.start()
        with Load(mta, RECIPIENTS, seed=SEED, clients=6, posters=2) as load:
            ballast.write_bytes(b"x" * (9_000_000 if limit != "0" else 4_000_000))
            assert wait_until(lambda: sum(reply.startswith(expected) for reply in load.refused) > 20, 100), load.refused[-5:]
        assert load.accepted and not load.problems, load.problems
        ballast.unlink()
        mta.write_main(defer_transports="")
        mta.reload()
        flush_until_empty(mta)
        missing = lost(mta, load.accepted)
        assert not missing, f"{len(missing)} lost of {len(load.accepted)}: {missing[:10]}"
        assert not left_behind(mta)
        assert os.listdir(mta.queue_directory / "corrupt") == []
