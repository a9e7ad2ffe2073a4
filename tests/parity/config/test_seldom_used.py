"""Parameters that few sites set, each with what can be seen of it.

Source: postconf(5) dont_remove, process_id_directory, tcp_windowsize.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from typing import Any

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]


@pytest.mark.parametrize("value", ["0", "1", "-1"])
def test_dont_remove(parity: Parity, value: str) -> None:
    """Finished queue files are kept in a folder of their own."""

    def case(mta: Instance) -> tuple[int, int]:
        saved = mta.queue_directory / "saved"
        before = len(list(saved.iterdir()))
        for count, recipient in enumerate(("user@ours.example", "second@ours.example"), 1):
            mta.send_message(recipient)
            mta.wait_for_log(r"qmgr\[\d+\]: \w+: removed", count=count)
        mta.wait_until_empty()
        return len(list(saved.iterdir())) - before, len(list((mta.queue_directory / "active").iterdir()))

    seen = parity(case, main={"dont_remove": value}, logs="qmgr")
    assert isinstance(seen.result, tuple)
    assert bool(seen.result[0]) == (value != "0")


def test_process_id_directory(parity: Parity) -> None:
    """It is accepted, and the lock of master stays where it was."""

    def case(mta: Instance) -> list[Any]:
        mta.run("postfix", "stop")
        (mta.queue_directory / "locks").mkdir()
        mta.write_main(process_id_directory="locks")
        said: list[Any] = [mta.run("postfix", word).returncode for word in ("start", "status", "start")]
        said += [(mta.queue_directory / folder / "master.pid").exists() for folder in ("locks", "pid")]
        return [*said, mta.run("postfix", "stop").returncode]

    assert parity(case, fresh=True).result == [0, 0, 1, False, True, 0]


_CHUNK = b"x" * 4096


def test_tcp_windowsize(parity: Parity) -> None:
    """How much a server takes that does not read yet: little, or what the system gives it."""

    def taken(mta: Instance) -> int:
        pids = mta.pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                client.connect((mta.host, mta.port))
                client.settimeout(0.3)
                count = 0
                with suppress(TimeoutError):
                    while count < 1_000_000:
                        count += client.send(_CHUNK)
                return count
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def case(mta: Instance) -> bool:
        return taken(mta) < 60_000

    assert parity(case, main={"tcp_windowsize": "8192"}, fresh=True).result is True
    assert parity(case, fresh=True).result is False
