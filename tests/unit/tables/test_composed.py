import asyncio

import pytest

from pyfix.tables.composed import DebugTable, PipeTable, RandomTable, UnionTable
from pyfix.tables.table import Opening, TableError

OPENING = Opening()


def test_union() -> None:
    table = UnionTable("{inline:{a=1}, static:x, inline:{A=2}}", OPENING)
    assert table.find_now("a") == "1,x,2"
    assert asyncio.run(table.find("b")) == "x"
    assert UnionTable("{inline:{a=1}}", OPENING).find_now("b") is None


def test_pipe() -> None:
    table = PipeTable("{inline:{a=B}, inline:{b=c}}", OPENING)
    assert table.find_now("A") == "c"
    assert asyncio.run(table.find("a")) == "c"
    assert table.find_now("z") is None
    assert asyncio.run(table.find("z")) is None


@pytest.mark.parametrize("kind", [UnionTable, PipeTable])
def test_failing_members(kind: type[UnionTable]) -> None:
    table = kind("{static:a,fail:x}", OPENING)
    text = f"table {kind.kind}:.*: query error: Application error"
    with pytest.raises(TableError, match=text):
        table.find_now("a")
    with pytest.raises(TableError, match=text):
        asyncio.run(table.find("a"))
    table.close()
    assert not table.changed()


@pytest.mark.parametrize("name", ["x", "{}", "{nope}", "{static:a}b"])
def test_bad_names(name: str) -> None:
    for kind in (UnionTable, PipeTable):
        with pytest.raises(TableError, match="bad syntax"):
            kind(name, OPENING)


def test_unknown_member() -> None:
    with pytest.raises(TableError, match="unsupported dictionary type: foo"):
        UnionTable("{foo:x}", OPENING)


def test_members_behind_another_process_are_waited_for() -> None:
    assert not UnionTable("{static:a,proxy:static:b}", OPENING).local
    assert UnionTable("{static:a}", OPENING).local


def test_random() -> None:
    table = RandomTable("{a, b}", OPENING)
    assert {table.find_now("k") for _ in range(100)} == {"a", "b"}
    for name in ("x", "{}"):
        with pytest.raises(TableError, match="bad syntax"):
            RandomTable(name, OPENING)


def test_debug(notices: list[str]) -> None:
    table = DebugTable("inline:{a=b}", OPENING)
    assert table.find_now("A") == "b"
    assert asyncio.run(table.find("c")) is None
    with pytest.raises(TableError, match="table debug:fail:x: query error"):
        DebugTable("fail:x", OPENING).find_now("k")
    assert notices == [
        'inline:{a=b} lookup: "A" = "b"',
        'inline:{a=b} lookup: "c" = "not_found"',
        'fail:x lookup: "k" = "error"',
    ]
    assert not table.changed()
    table.close()
