from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.install.layout import Ids, lay_out
from pyfix.queue.folders import QUEUE_FOLDERS


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o7777 for path in folder.iterdir()}


def test_modes_with_and_without_set_gid_commands(tmp_path: Path) -> None:
    queue = tmp_path / "spool"
    lay_out(queue, tmp_path / "data", None, set_gid=True)
    assert modes(queue) == QUEUE_FOLDERS
    assert modes(queue)["maildrop"] == 0o730
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    lay_out(queue, tmp_path / "data", None, set_gid=False)
    assert modes(queue) == {**QUEUE_FOLDERS, "maildrop": 0o1733, "public": 0o711}


@pytest.mark.root
def test_owners(tmp_path: Path) -> None:
    queue = tmp_path / "spool"
    lay_out(queue, tmp_path / "data", Ids(1, 2, 3), set_gid=True)
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in queue.iterdir()}
    own = os.getgid()
    assert owners["incoming"] == (1, own)
    assert owners["maildrop"] == owners["public"] == (1, 3)
    assert owners["pid"] == (0, 0)
    assert (tmp_path / "data").stat().st_uid == 1
