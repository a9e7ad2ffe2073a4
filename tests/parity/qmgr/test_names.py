"""What lies in a queue without being a queue file of its name."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

_NO_IDS = (
    "a-b", "a.b", "-dash", ".hidden", "with space", "caf\u00e9", "zz%s", "tab\tx", "nl\nx", "b\x01c", "AB,C", "a=b", "A+B",
)  # fmt: skip
_IDS = ("AB", "ABCDEF", "_under", "abcdef_g", "123456789z", "4gzXyz123zB12", "a" * 110, "A" * 100)
"""Names of letters, digits and _, of at least two characters; what is in the files is nothing that could be delivered."""


def _put(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(b"x")
    path.chmod(0o700)
    os.chown(path, folder.stat().st_uid, -1)
    os.utime(path, (1, 1))


def _scan(mta: Instance) -> list[str]:
    """Have all queues looked at; return what qmgr(8) says, sorted: it goes through a folder in no fixed order."""
    mark = mta.log_mark()
    _put(mta.queue_directory / "incoming", "LAST")
    mta.run("postqueue", "-f")
    mta.wait_for_log(r'saving corrupt file "LAST"', since=mark)
    mta.settle()
    lines = [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/qmgr[" in line and "LAST" not in line]
    return sorted(line for line in lines if "message rejected" not in line and "unexpected EOF" not in line)


def _left(mta: Instance, queue: str) -> list[str]:
    folder = mta.queue_directory / queue
    found = [path for path in folder.rglob("*") if path.name not in ("LAST", "F", "A", "a")]
    for path in found:
        path.unlink() if not path.is_dir() or path.is_symlink() else shutil.rmtree(path)
    return sorted(str(path.relative_to(folder)) for path in found)


@pytest.mark.parametrize("queue", ["incoming", "deferred"])
def test_names_that_are_no_queue_ids(parity: Parity, queue: str) -> None:
    """They are left alone, without a word; the others are looked at."""

    def case(mta: Instance) -> object:
        folder = mta.queue_directory / queue
        mta.settle()
        for name in _NO_IDS:
            _put(folder, name)
        if queue == "incoming":
            for name in _IDS:
                _put(folder, name)
        said = _scan(mta)
        return said, _left(mta, queue), _left(mta, "corrupt")

    parity(case)


def test_names_in_the_active_queue(parity: Parity) -> None:
    """A queue manager that starts tells of each, and leaves it there; the others it puts back into incoming."""

    def case(mta: Instance) -> object:
        mta.settle()
        (pid,) = mta.pids_of("qmgr")
        os.kill(pid, signal.SIGKILL)
        mta.wait_for_log(r"/qmgr pid \d+ killed by signal 9")
        active = mta.queue_directory / "active"
        folder = active / "F"
        folder.mkdir(0o700)
        os.chown(folder, active.stat().st_uid, -1)
        for name in (*_NO_IDS, *_IDS):
            _put(active, name)
        _put(folder, "in-folder")
        said = _scan(mta)
        return said, _left(mta, "active"), _left(mta, "incoming"), _left(mta, "corrupt")

    seen = parity(case, main={"service_throttle_time": "1s"}, fresh=True).result
    said = seen[0]  # type: ignore[index]  # the result of case
    assert sum(line.startswith("warning: qmgr_move: ignored: queue active id ") for line in said) == len(_NO_IDS) + 1


def test_what_is_no_file(parity: Parity) -> None:
    """Folders, links and pipes with a queue id for a name; a file with two names is a file."""

    def case(mta: Instance) -> object:
        folder = mta.queue_directory / "incoming"
        mta.settle()
        owner = folder.stat().st_uid
        (folder / "FOLDER1").mkdir(0o700)
        os.mkfifo(folder / "FIFO1", 0o700)
        os.symlink("nowhere", folder / "LINK1")
        for path in folder.iterdir():
            os.chown(path, owner, -1, follow_symlinks=False)
        _put(folder, "LINKED1")
        os.link(folder / "LINKED1", mta.directory / "elsewhere")
        said = _scan(mta)
        (mta.directory / "elsewhere").unlink()
        text = "\n".join(re.sub(r"uid \d+", "uid <N>", line) for line in said)
        return text, _left(mta, "incoming"), _left(mta, "corrupt")

    parity(case)
