from __future__ import annotations

import os

from pyfix.runtime.groupcommit import GroupCommit
from pyfix.runtime.task import gather
from tests.unit.runtime.forked import on_loop


def test_group_commit_tells_each_its_own_fault() -> None:
    async def test() -> list[object]:
        commit = GroupCommit()
        good = [os.memfd_create("a"), os.memfd_create("b")]
        closed = os.memfd_create("c")
        os.close(closed)

        async def one(fd: int) -> str:
            try:
                await commit.sync(fd)
            except OSError as error:
                return type(error).__name__ + str(error.errno)
            return "synced"

        results = await gather(one(good[0]), one(closed), one(good[1]))
        return [results, await one(good[0])]

    assert on_loop(test) == [["synced", "OSError9", "synced"], "synced"]
