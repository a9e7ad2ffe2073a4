"""What commands add on a terminal, and never elsewhere."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.kit.instance import Instance

pytestmark = pytest.mark.root

FILES = 6000


@pytest.fixture(scope="module")
def mta() -> Iterator[Instance]:
    """A system that does not run."""
    with Instance("pyfix") as instance:
        yield instance


def _fill(mta: Instance) -> None:
    for number in range(FILES):
        path = mta.queue_directory / "hold" / f"{number:05X}ABCDE"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o700))
        shutil.chown(path, "postfix")


def _on_terminal(mta: Instance, *argv: str) -> tuple[int, str]:
    """Run a command whose error output is a terminal; return its status and what was shown there."""
    master, slave = pty.openpty()
    with subprocess.Popen([mta.command_directory / argv[0], *argv[1:]], env=mta.environment, stderr=slave) as process:
        os.close(slave)
        shown = b""
        with suppress(OSError):  # what the end of the other side looks like
            while data := os.read(master, 65536):
                shown += data
        status = process.wait(60)
    os.close(master)
    return status, shown.decode()


def test_postsuper_shows_its_progress(mta: Instance) -> None:
    _fill(mta)
    status, shown = _on_terminal(mta, "postsuper", "-e", "ALL", "hold")
    assert status == 0
    assert re.search(r"\rpostsuper: hold: [1-9]\d{3}", shown)
    last = shown.rpartition("\r\n")[0].rpartition("\r")[2]
    assert last == f"postsuper: Force-expired: {FILES} messages", "the line of the progress is gone"
    status, shown = _on_terminal(mta, "postsuper", "-v", "-d", "ALL", "flush")
    assert "\r" not in shown.replace("\r\n", "\n"), "with -v there are lines of their own"


def test_few_files_and_no_terminal(mta: Instance) -> None:
    _fill(mta)
    done = mta.run("postsuper", "-H", "ALL", "hold")
    assert done.stderr.decode().splitlines()[-1] == f"postsuper: Released from hold: {FILES} messages"
    assert b"\r" not in done.stderr
    status, shown = _on_terminal(mta, "postsuper", "-d", "ALL", "hold")
    assert (status, shown) == (0, "postsuper: Deleted: 0 messages\r\n")


class _Run:
    """A command that works on a table which somebody else has locked."""

    def __init__(self, mta: Instance, stack: ExitStack, words: str, *, terminal: bool) -> None:
        self.words = words
        command, *options, kind = words.split()
        path = mta.write(f"{'-'.join(words.split())}{terminal:d}", "a: 1\n" if command == "postalias" else "a 1\n")
        self.table = f"{kind}:{path}"
        assert mta.run(command, self.table).returncode == 0
        self.lock = stack.enter_context(path.with_suffix(".lmdb" if kind == "lmdb" else ".db").open("r+b"))
        (fcntl.lockf if kind == "lmdb" else fcntl.flock)(self.lock, fcntl.LOCK_EX)
        self.stderr, other = pty.openpty() if terminal else os.pipe()
        stack.callback(os.close, self.stderr)
        given = stack.enter_context(mta.write("given", "c 3\n").open("rb"))
        argv = [mta.command_directory / command, *options, self.table]
        self.process = stack.enter_context(subprocess.Popen(argv, env=mta.environment, stdin=given, stderr=other))
        stack.callback(self.process.kill)
        os.close(other)

    def rest(self) -> bytes:
        """Give the lock back, wait for the end, and return what was shown since the last read()."""
        self.lock.close()
        shown = b""
        with suppress(OSError):
            while data := os.read(self.stderr, 65536):
                shown += data
        assert self.process.wait(60) == 0, (self.words, shown)
        return shown


def test_postmap_shows_its_progress(mta: Instance) -> None:
    """Of whatever takes longer than a second; nothing where standard error is no terminal."""
    actions = ["postmap hash", "postmap lmdb", "postmap -d a hash", "postmap -i lmdb", "postmap -i btree", "postalias btree", "postalias -d a lmdb"]
    with ExitStack() as stack:
        quiet = [_Run(mta, stack, words, terminal=False) for words in actions]
        told = [_Run(mta, stack, words, terminal=True) for words in actions]
        for run in told:
            assert select.select([run.stderr], [], [], 30)[0], run.words
            first = os.read(run.stderr, 4096).decode()
            assert re.match(rf"\r{re.escape(run.table)}: 1 s(, \d entries)?\x1b\[K", first), (run.words, first)
        for run in told:
            assert run.rest().endswith(b"\r\x1b[K"), "the line is gone"
        for run in quiet:
            assert run.rest() == b"", run.words


def test_quick_tables(mta: Instance) -> None:
    path = mta.write("quick", "a 1\nb 2\n")
    assert _on_terminal(mta, "postmap", f"lmdb:{path}") == (0, "")
    status, shown = _on_terminal(mta, "postmap", "-q", "a", f"lmdb:{path}")
    assert (status, shown) == (0, "")
