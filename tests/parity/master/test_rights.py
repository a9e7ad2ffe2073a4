"""What the processes may do: ids, groups, umask, folders, signals and open files.  Source: master(5) fields 4 and 5."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.kit import exercise
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import program_name
from tests.kit.services import jailed

pytestmark = [pytest.mark.reference, pytest.mark.root]

_BESIDES = re.compile(r"/pid/|/incoming/#\d+ \(deleted\)$|^/dev/urandom$|/prng_exch$")
_OF_THREADS = ("Uid", "Gid", "Groups")
_SHOWN = (*_OF_THREADS, "Umask", "SigIgn", "SigBlk")


def rights(mta: Instance, pid: int) -> dict[str, object]:
    """Return what a process may do, without what differs between two instances."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    found: dict[str, object] = {name: status[name].split() for name in _SHOWN}
    for link in ("cwd", "root"):
        found[link] = os.readlink(f"/proc/{pid}/{link}").replace(str(mta.directory), "<DIR>")
    for task in Path(f"/proc/{pid}/task").iterdir():  # no thread kept the rights of a delivery
        lines = (task / "status").read_text().splitlines()
        assert [line.split()[1:] for line in lines if line.startswith(_OF_THREADS)] == [found[name] for name in _OF_THREADS]
    found["files"] = open_files(mta, pid)
    return found


def open_files(mta: Instance, pid: int) -> list[str]:
    """Return the paths of a process's open files.

    The locks of accept(2), which pyfix does not need, are left out, the sources from which Postfix's tlsmgr(8) stirs its
    random numbers, where pyfix asks the kernel, and what pyfix's cleanup(8) has besides: outside of
    a jail the folder of its own descriptors, by which it gives its files their names, and the file without a name for
    the next message of a connection.
    """
    folder = f"/proc/{pid}/fd"
    paths = {os.readlink(f"{folder}/{fd}").replace(str(mta.directory), "<DIR>") for fd in os.listdir(folder)}
    if os.readlink(f"/proc/{pid}/root") == "/":
        paths.discard(folder)
    return sorted(path for path in paths if path.startswith(("/", "<DIR>")) and not _BESIDES.search(path))


def everyone(mta: Instance) -> dict[str, list[dict[str, object]]]:
    """Let each daemon have work, and return what each may do; processes of one kind are the same."""
    exercise.exercise(mta)
    found: dict[str, list[dict[str, object]]] = {}
    for pid in mta.pids():
        name = program_name(pid)
        if (mta.daemon_directory / name).exists() and name != "master":
            seen = rights(mta, pid)
            if seen not in found.setdefault(name, []):
                found[name].append(seen)
    return found


@pytest.mark.parametrize("services", [None, jailed()], ids=["at large", "jailed"])
def test_rights_of_the_daemons(parity: Parity, services: str | None) -> None:
    """Real, effective, saved and file system ids, groups, umask, folders, signals, files: the same for each daemon."""
    found = parity(everyone, main=exercise.MAIN, master=services, fresh=True).result
    assert {"smtpd", "cleanup", "qmgr", "local", "virtual", "bounce", "trivial-rewrite", "postlogd"} <= set(found)
    owner = found["smtpd"][0]["Uid"][0]
    assert owner != "0" and found["smtpd"][0]["Uid"] == [owner] * 4
    assert found["local"][0]["Uid"] == ["0", owner, "0", owner]
    if services is not None:
        assert found["cleanup"][0]["root"] == "<DIR>/spool"


def test_files_of_master(parity: Parity) -> None:
    """The lock files: content, mode, owner."""

    def case(mta: Instance) -> list[object]:
        seen: list[object] = []
        for path in (mta.queue_directory / "pid/master.pid", mta.data_directory / "master.lock"):
            status = path.stat()
            text = path.read_text()
            assert int(text) == mta.master_pid
            seen.append((re.sub(r"\d", "9", text.lstrip()) and len(text), oct(status.st_mode), status.st_uid, status.st_gid))
        return seen

    assert [entry[0] for entry in parity(case, fresh=True).result] == [33, 33]
