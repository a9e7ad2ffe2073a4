from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from pyfix.delivery import rights as module
from pyfix.delivery.rights import rights
from pyfix.runtime.identity import Owner
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now
from pyfix.runtime.threads import in_thread
from tests.unit.runtime.forked import in_child

NOBODY = 65534
OTHER = 65533


def ids() -> tuple[int, int, list[int]]:
    return os.geteuid(), os.getegid(), sorted(os.getgroups())


@pytest.mark.root
@pytest.mark.parametrize("start", [0, OTHER])
def test_files_belong_to_the_owner_and_the_rights_come_back(tmp_path: Path, start: int) -> None:
    tmp_path.chmod(0o777)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o111)
    os.setegid(start)
    os.seteuid(start)
    try:
        before = ids()
        with pytest.raises(ValueError, match="why"), rights(Owner(NOBODY, NOBODY)):
            assert ids() == (NOBODY, NOBODY, [NOBODY])
            (tmp_path / "file").touch()
            raise ValueError("why")
        assert ids() == before
    finally:
        os.seteuid(0)
        os.setegid(0)
    status = (tmp_path / "file").stat()
    assert (status.st_uid, status.st_gid) == (NOBODY, NOBODY)


@pytest.mark.root
def test_other_threads_keep_their_rights() -> None:
    asked, answered = threading.Event(), threading.Event()
    seen: list[tuple[int, int, list[int]]] = []

    def look() -> None:
        asked.wait(5)
        seen.append(ids())
        answered.set()

    thread = threading.Thread(target=look)
    thread.start()
    before = ids()
    with rights(Owner(NOBODY, NOBODY)):
        asked.set()
        assert answered.wait(5)
    thread.join()
    assert seen == [before] == [ids()]


def test_without_root_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: OTHER)
    before = ids()
    with rights(Owner(NOBODY, NOBODY)):
        assert ids() == before


def all_ids(thread: int) -> tuple[str, str, str]:
    """Return real, effective, saved and file system ids, and the groups, as the kernel has them for one thread."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/self/task/{thread}/status").read_text().splitlines() if ":" in line
    )
    return status["Uid"].strip(), status["Gid"].strip(), status["Groups"].strip()


@pytest.mark.root
def test_what_the_kernel_knows_of_each_thread() -> None:
    """The delivering thread alone changes, groups and file system ids included; a thread made later is like the first."""

    def body() -> None:
        os.setgroups([OTHER, 4711])
        os.setegid(OTHER)
        os.seteuid(OTHER)
        end = threading.Event()
        threads = [threading.Thread(target=end.wait, args=(20,)) for _ in range(2)]
        threads[0].start()
        mine, others = threading.get_native_id(), threads[0].native_id
        before = all_ids(mine)
        assert before == (f"0\t{OTHER}\t0\t{OTHER}", f"0\t{OTHER}\t0\t{OTHER}", f"{4711} {OTHER}")
        with rights(Owner(NOBODY, NOBODY - 2)):
            gid = NOBODY - 2
            assert all_ids(mine) == (f"0\t{NOBODY}\t0\t{NOBODY}", f"0\t{gid}\t0\t{gid}", str(gid))
            assert others is not None and all_ids(others) == before
        threads[1].start()
        assert threads[1].native_id is not None
        assert all_ids(mine) == all_ids(others) == all_ids(threads[1].native_id) == before
        end.set()
        for thread in threads:
            thread.join()

    assert in_child(body) == "None"


@pytest.mark.root
def test_no_thread_may_start_with_a_recipients_rights() -> None:
    with rights(Owner(NOBODY, NOBODY)), pytest.raises(RuntimeError, match="no thread may start"):
        run_now(in_thread(os.getuid))


@pytest.mark.root
@pytest.mark.parametrize(("uid", "gid"), [(-1, 1), (1, -1), (2**32 - 1, 1), (2**32, 1), (1, 2**32), (1, 2**32 - 1)])
def test_numbers_that_the_kernel_would_take_for_others(uid: int, gid: int) -> None:
    before = ids()
    with pytest.raises(OSError, match="no such user or group") as refused, rights(Owner(uid, gid)):
        pytest.fail("the block ran")
    assert refused.value.errno == errno.EINVAL
    assert ids() == before


class Failing:
    """System calls of which one fails."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.left = count

    def _call(self, name: str) -> None:
        if name == self.name:
            self.left -= 1
            if self.left == 0:
                raise PermissionError(errno.EPERM, "Operation not permitted")

    def set_user(self, uid: int) -> None:
        self._call("set_user")
        module._kernel().set_user(uid)  # type: ignore[union-attr]  # it is there in these tests

    def set_group(self, gid: int) -> None:
        self._call("set_group")
        module._kernel().set_group(gid)  # type: ignore[union-attr]  # it is there in these tests

    def set_groups(self, groups: list[int]) -> None:
        self._call("set_groups")
        module._kernel().set_groups(groups)  # type: ignore[union-attr]  # it is there in these tests


@pytest.mark.root
@pytest.mark.parametrize(("name", "count"), [("set_groups", 1), ("set_group", 1), ("set_user", 2)])
def test_rights_that_cannot_be_had(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block does not run, and all is as before."""
    monkeypatch.setattr(module, "_system", Failing(name, count))

    def body() -> None:
        os.setegid(OTHER)
        os.seteuid(OTHER)
        before = ids()
        with pytest.raises(PermissionError), rights(Owner(NOBODY, NOBODY)):
            pytest.fail("the block ran")
        assert ids() == before

    assert in_child(body) == "None"


@pytest.mark.root
@pytest.mark.parametrize(("name", "count"), [("set_user", 3), ("set_group", 2), ("set_groups", 2), ("set_user", 4)])
def test_rights_that_cannot_be_given_back(name: str, count: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing may go on with the recipient's rights, or with those of root: the process ends, and says why."""
    monkeypatch.setattr(module, "_system", Failing(name, count))
    said = tmp_path / "said"
    pid = os.fork()
    if pid == 0:
        with said.open("w") as output:
            monkeypatch.setattr(log, "fatal", lambda text: print(text, file=output, flush=True))
            os.setegid(OTHER)
            os.seteuid(OTHER)
            try:
                with rights(Owner(NOBODY, NOBODY)):
                    pass
            finally:
                os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert said.read_text() == "cannot give the recipient's rights back: Operation not permitted\n"
