from __future__ import annotations

import threading

import pytest

from pyfix.tables.table import Opening, TableError
from pyfix.tables.threaded import FatalQuery, ThreadedTable
from tests.unit.runtime.forked import on_loop

from .conftest import Notices


class Slow(ThreadedTable):
    kind = "slow"

    def query(self, key: str) -> str | None:
        if key == "fatal":
            raise FatalQuery("too bad")
        return {"thread": str(threading.current_thread() is threading.main_thread()), "bad": "\udcff"}.get(key)


def test_without_a_loop() -> None:
    table = Slow("x", Opening())
    assert not table.local
    assert table.find_now("THREAD") == "True" and table.find_now("none") is None
    with pytest.raises(TableError, match="query error"):
        table.find_now("bad")
    assert table.find_now("\udcff") is None


def test_in_a_loop(notices: Notices) -> None:
    async def test() -> list[str | None]:
        table = Slow("x", Opening())
        answers = [await table.find("thread"), await table.find("none"), await table.find("\udcff")]
        for key in ("fatal", "bad"):
            try:
                answers.append(await table.find(key))
            except TableError as error:
                answers.append(str(error))
        return answers

    assert on_loop(test) == ["False", None, None, "too bad", "table slow:x: query error"]
