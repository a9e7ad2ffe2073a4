"""``postfix start-fg``: for service managers and, as process 1, for containers.  Source: postfix(1), MAILLOG_README."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.normalise import Normaliser
from tests.kit.parity import Parity
from tests.kit.processes import command_line, is_running, program_name, wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

TO_STDOUT = {"maillog_file": "/dev/stdout", "maillog_file_prefixes": "/var, /dev/stdout"}
AS_PROCESS_1 = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family(pid: int) -> Iterator[int]:
    yield pid
    for child in children(pid):
        yield from family(child)


def find_master(pid: int) -> int | None:
    try:
        return next((found for found in family(pid) if program_name(found) == "master"), None)
    except FileNotFoundError:  # one has just ended
        return None


def zombies(pid: int) -> list[str]:
    """Return the names of children that have ended and are not waited for."""
    found = []
    for child in children(pid):
        name, _, rest = Path(f"/proc/{child}/stat").read_text().partition("(")[2].rpartition(")")
        found.append(f"{name} {rest.split()[0]}")
    return sorted(state for state in found if state.endswith(" Z"))


def answers(mta: Instance) -> bool:
    try:
        mta.connect().close()
    except (OSError, EOFError):
        return False
    return True


class Foreground:
    """The mail system in the foreground."""

    def __init__(self, mta: Instance, prefix: list[str]) -> None:
        self.mta = mta
        command = [*prefix, str(mta.command_directory / "postfix"), "-c", str(mta.config_directory), "start-fg"]
        self.process = subprocess.Popen(
            command,
            env=mta.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.master = 0

    def wait(self) -> None:
        """Wait until mail can be sent."""
        assert wait_until(lambda: answers(self.mta), 20)
        master = find_master(self.process.pid)
        assert master is not None
        self.master = master

    def inside(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the name spaces of master."""
        return subprocess.run(
            ["nsenter", "-t", str(self.master), "-p", "-m", *argv],
            env=self.mta.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    def end(self, number: int) -> tuple[int, str, str]:
        """End master; return the exit status as a shell has it, and both outputs."""
        os.kill(self.master, number)
        output, errors = self.process.communicate(timeout=15)
        status = self.process.returncode
        return 128 - status if status < 0 else status, output, errors


def stable(mta: Instance, text: str) -> list[str]:
    normaliser = Normaliser(mta.directory, mta.port, [(str(mta.daemon_directory), "<DAEMONS>")])
    left_out = re.compile(r"^Terminated$|is not a set-gid program|terminating on signal|connect|anvil")
    return sorted(line for line in normaliser.text(text).splitlines() if not left_out.search(line))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("prefix", [[], AS_PROCESS_1], ids=["child", "process 1"])
@pytest.mark.parametrize("main", [TO_STDOUT, {}], ids=["stdout", "file"])
def test_start_in_the_foreground(
    parity: Parity, main: dict[str, str], prefix: list[str], number: signal.Signals
) -> None:
    """Command line of master, log lines on standard output, a reload, the end by a signal, the exit status."""

    def case(mta: Instance) -> list[object]:
        mta.stop()
        mta.log_path.unlink(missing_ok=True)
        system = Foreground(mta, prefix)
        try:
            system.wait()
            mta.send_message("user@ours.example")
            assert wait_until(lambda: "user/" in mta.deliveries() and not mta.queue(), 10)
            seen: list[object] = [command_line(system.master).rpartition("master")[2]]
            if prefix:
                seen.append((mta.queue_directory / "pid/master.pid").read_text())
            reload = system.inside(str(mta.command_directory / "postfix"), "-c", str(mta.config_directory), "reload")
            seen += [reload.returncode, reload.stderr]
            assert mta.dialogue("NOOP", "QUIT")[0] == "250 2.0.0 Ok"
            status, output, errors = system.end(number)
        finally:
            system.process.kill()
            system.process.wait()
        assert wait_until(lambda: not mta.pids(), 5)
        return [*seen, status, stable(mta, output), stable(mta, errors)]

    result = parity(case, main=main, fresh=True).result
    assert bool(result[-2]) == bool(main)


def test_process_1_inherits_orphans(parity: Parity) -> None:
    """Children that are none of master's own are waited for when they end, so that no zombies stay."""

    def case(mta: Instance) -> list[object]:
        mta.stop()
        system = Foreground(mta, AS_PROCESS_1)
        try:
            system.wait()
            done = system.inside("sh", "-c", "sleep 1 > /dev/null 2>&1 &")
            seen: list[object] = [done.returncode]
            orphan = next(child for child in children(system.master) if program_name(child) == "sleep")
            seen += [wait_until(lambda: not Path(f"/proc/{orphan}").exists(), 10), zombies(system.master)]
            system.end(signal.SIGTERM)
        finally:
            system.process.kill()
            system.process.wait()
        return [*seen, is_running(system.master)]

    assert parity(case, fresh=True).result == [0, True, [], False]


def test_second_start_is_refused(parity: Parity) -> None:
    """start-fg says so when the mail system runs already."""

    def case(mta: Instance) -> list[object]:
        begin = time.monotonic()
        done = mta.run("postfix", "start-fg")
        assert time.monotonic() - begin < 10
        return [done.returncode, done.stdout.decode(), done.stderr.decode()]

    assert "already running" in parity(case, fresh=True).result[2]
