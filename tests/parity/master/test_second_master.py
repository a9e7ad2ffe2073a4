"""What a master says that may not run: because another one runs, or because its lock files are not what they must be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.kit.syslog import SystemLog

from .probing import stable

pytestmark = [pytest.mark.reference, pytest.mark.root]

TO_SYSLOG = {"maillog_file": ""}


def said(mta: Instance, syslog: SystemLog, *options: str) -> tuple[int, list[str]]:
    """Run master; return its status and the problems that it logged."""
    syslog.datagrams.clear()
    status = syslog.run(mta.daemon_directory / "master", *options).returncode
    texts = [found[1] for line in syslog.datagrams if (found := re.search(r"master\[\d+\]: ((?:fatal|warning): .*)", line))]
    # What the waiting process says for itself, pyfix's says with the reason, on the terminal.
    return status, [stable(mta, text) for text in texts if "daemon initialization failure" not in text]


def test_while_another_one_runs(parity: Parity) -> None:
    """It ends with status 1 and says why; the first one is not disturbed."""

    def case(mta: Instance) -> list[object]:
        with SystemLog(mta) as syslog:
            mta.stop()
            syslog.start()
            pid = mta.master_pid
            results = [said(mta, syslog, *options) for options in (("-w",), ("-d",), ("-t",), ("-w", "-t"), ("-i",))]
            assert mta.master_pid == pid and mta.is_running()
            mta.send_message("user@ours.example")
            syslog.wait_for(": removed$")
            mta.stop()
            return results

    results = parity(case, main=TO_SYSLOG, fresh=True).result
    assert results[0] == (
        1, ["fatal: open lock file pid/master.pid: unable to set exclusive lock: Resource temporarily unavailable"],
    )  # fmt: skip
    assert results[2][0] == 1


def _symlink(path: Path) -> None:
    path.symlink_to(path.with_name("other"))


def _symlink_to_file(path: Path) -> None:
    path.with_name("other").write_text("1\n")
    _symlink(path)


def _hard_link(path: Path) -> None:
    path.with_name("other").touch()
    path.hardlink_to(path.with_name("other"))


def _closed(path: Path) -> None:
    path.parent.chmod(0)


@pytest.mark.parametrize("name", ["pid", "data"])
@pytest.mark.parametrize(
    "make",
    [_symlink, _symlink_to_file, _hard_link, Path.mkdir, lambda path: path.write_text("1\n"), _closed],
    ids=["dangling symlink", "symlink", "hard link", "folder", "old text", "closed folder"],
)
def test_odd_lock_files(parity: Parity, name: str, make: Callable[[Path], object]) -> None:
    """Only a regular file with one name is locked, and what was in it before does not matter."""

    def case(mta: Instance) -> list[object]:
        with SystemLog(mta) as syslog:
            mta.stop()
            path = {"pid": mta.queue_directory / "pid/master.pid", "data": mta.data_directory / "master.lock"}[name]
            path.unlink()
            make(path)
            result: list[object] = [said(mta, syslog, "-t"), said(mta, syslog, "-w")]
            if result[-1] == (0, []):
                result.append([path.read_text().strip() == str(mta.master_pid), oct(path.stat().st_mode)])
                mta.stop()
                assert wait_until(lambda: not mta.pids(), 5)
            path.parent.chmod(0o755 if name == "pid" else 0o700)
            return result

    parity(case, main=TO_SYSLOG, fresh=True)


def test_process_id_stays_after_the_end(parity: Parity) -> None:
    """The files stay, with the process id of the last master; only the lock tells whether it runs."""

    def case(mta: Instance) -> list[object]:
        pid = mta.master_pid
        mta.stop()
        files = (mta.queue_directory / "pid/master.pid", mta.data_directory / "master.lock")
        return [path.read_text() == f"{pid:>32}\n" for path in files] + [os.listdir(mta.queue_directory / "pid") == []]

    assert parity(case, fresh=True).result[:2] == [True, True]
