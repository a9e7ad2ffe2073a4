from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pyfix.delivery.rights import rights
from pyfix.runtime.identity import Owner

NOBODY = 65534
OTHER = 65533


def ids() -> tuple[int, int, list[int]]:
    return os.geteuid(), os.getegid(), sorted(os.getgroups())


@pytest.fixture
def as_other() -> None:
    if os.getuid() != 0:
        pytest.skip("needs root")


@pytest.mark.root
@pytest.mark.usefixtures("as_other")
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
@pytest.mark.usefixtures("as_other")
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
