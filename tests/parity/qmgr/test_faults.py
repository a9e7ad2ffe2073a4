"""System calls that fail in the queue manager and in delivery agents: bad disks, full tables of open files.

strace(1) makes the calls on one queue file fail; the process stands still until that is arranged.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.trace import need_strace
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": "inline:{{disc.example=discard:gone}}",
    "service_throttle_time": "1s",
    "minimal_backoff_time": "1s",
}
_READ = "read,pread64:error=EIO"
_OPEN = "open,openat:error=EMFILE"
_MARK = "write,pwrite64:error=EIO"


@contextmanager
def _failing(mta: Instance, program: str, calls: str, path: str) -> Iterator[None]:
    """Let the *calls* of a process that stands still fail on the queue file *path*, until the block ends; it goes on."""
    (pid,) = mta.pids_of(program)
    paths = ["-P", path, "-P", str(mta.queue_directory / path)]
    which = ["-e", f"trace={calls.partition(':')[0]}", "-e", f"inject={calls}", "-p", str(pid)]
    tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", *paths, *which], stderr=subprocess.DEVNULL)
    try:
        status = Path(f"/proc/{pid}/status")
        assert wait_until(lambda: f"TracerPid:\t{tracer.pid}" in status.read_text(), 10)
        os.kill(pid, signal.SIGCONT)
        yield
    finally:
        tracer.terminate()
        tracer.wait(10)


@pytest.mark.parametrize(
    ("program", "recipient", "calls", "first"),
    [
        ("qmgr", "x@disc.example", _READ, r"saving corrupt file"),
        ("virtual", "user@ours.example", _READ, r"saving corrupt file"),
        ("local", "nobody@localhost", _READ, r"saving corrupt file"),
        ("discard", "x@disc.example", _READ, r"status=sent"),
        ("qmgr", "x@disc.example", _OPEN, r"fatal: "),
        ("qmgr", "x@disc.example", _OPEN.replace("EMFILE", "ENFILE"), r"fatal: "),
        ("virtual", "user@ours.example", _OPEN, r"malformed response"),
        ("discard", "x@disc.example", _OPEN, r"malformed response"),
        ("discard", "x@disc.example", _MARK, r"malformed response"),
        ("virtual", "user@ours.example", _MARK, r"malformed response"),
        ("qmgr", "x@disc.example", "unlink,unlinkat:error=EIO", r"fatal: "),
    ],
)
def test_a_call_that_fails(parity: Parity, program: str, recipient: str, calls: str, first: str) -> None:
    """The message is saved or tried again: it stays nowhere where nobody looks for it."""
    need_strace()

    def case(mta: Instance) -> object:
        mta.send_message(recipient, sender="")
        mta.wait_until_empty()
        mta.settle()
        mark = mta.log_mark()
        (pid,) = mta.pids_of(program)
        os.kill(pid, signal.SIGSTOP)
        queue_id = mta.send_message(recipient, sender="")
        if program != "qmgr":
            mta.wait_for_log(rf"{queue_id}: from=", since=mark)
        with _failing(mta, program, calls, f"active/{queue_id}"):
            mta.wait_for_log(first, since=mark)
            mta.settle(1.0)
        if "saving" not in first:
            gone = re.compile(rf"{queue_id}: removed")
            again = lambda: not mta.run("postqueue", "-f").returncode and _has(mta, gone, mark)  # noqa: E731  # short
            assert wait_until(again, 15), mta.queue()
        found = [re.search(rf"/({program}|qmgr)\[\d+\]: (.*)", line) for line in mta.log_lines(mark)]
        lines = [f"{one[1]}: {re.sub(r'delay=.*?, dsn=', 'dsn=', one[2]).replace(queue_id, '<ID>')}" for one in found if one]
        there = [(queue, oct(mta.spool_file(one).stat().st_mode)) for queue, ids in mta.queue().items() for one in ids]
        return sorted(line for line in lines if "queue active" not in line), there

    parity(case, main=MAIN, fresh=True)


def _has(mta: Instance, pattern: re.Pattern[str], mark: int) -> bool:
    return wait_until(lambda: any(pattern.search(line) for line in mta.log_lines(mark)), 0.4)
