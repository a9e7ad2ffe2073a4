from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.runtime.task import gather
from pyfix.tables.notice import warn
from pyfix.tables.parameters import TableParameters
from pyfix.tables.queried import QueriedTable, old_query, value_text
from pyfix.tables.table import Opening, TableError
from pyfix.tables.threaded import FatalQuery
from tests.unit.runtime.forked import on_loop

from .conftest import Notices


class Echo(QueriedTable):
    """Answers with the key, letter by letter."""

    kind = "echo"

    def __init__(self, path: Path, text: str) -> None:
        path.write_text(text)
        super().__init__(str(path), Opening())
        self.read_result_parameters()

    def query(self, key: str) -> str | None:
        if key == "fatal":
            raise FatalQuery("too bad")
        if key == "warn":
            warn("said in a thread")
        return self.joined(list(key) if key != "none" else [None], key, "echo: ")


def test_results(tmp_path: Path, notices: Notices) -> None:
    table = Echo(tmp_path / "t.cf", "result_format = <%s>\nexpansion_limit = 3\n")
    assert table.find_now("abc") == "<a>,<b>,<c>"
    assert table.find_now("none") is None
    with pytest.raises(TableError, match="query error"):
        table.find_now("abcd")
    assert notices == ["warning: echo: Expansion limit exceeded for key 'abcd'"]


def test_keys_that_are_not_asked_for(tmp_path: Path) -> None:
    table = Echo(tmp_path / "t.cf", "result_format = %D\n")
    assert table.find_now("abc") is None
    assert table.find_now("a@b") == "b,b,b"


def test_in_the_event_loop(tmp_path: Path) -> None:
    async def test() -> list[object]:
        from pyfix.tables.notice import report_to

        said: list[str] = []
        report_to(lambda severity, text: said.append(f"{severity}: {text}"))
        table = Echo(tmp_path / "t.cf", "")
        found: list[object] = list(await gather(*(table.find(key) for key in ("ab", "warn", "none", ""))))
        try:
            await table.find("fatal")
        except TableError as error:
            found.append(str(error))
        return [found, sorted(said)]

    found, said = eval(repr(on_loop(test)))
    assert found == ["a,b", "w,a,r,n", None, None, "too bad"]
    texts = {line.rpartition(": ")[2] for line in said}
    assert texts >= {"said in a thread", "too bad"} and len(texts) == 3


def test_values_of_columns() -> None:
    values = [None, b"a\0b", "x\0y", 7, 1.5, 2.0, 1e30, True]
    assert [value_text(value) for value in values] == [None, "a", "x", "7", "1.5", "2.0", "1.0e+30", "True"]


def test_the_old_parameters(tmp_path: Path) -> None:
    path = tmp_path / "t.cf"
    path.write_text("table = t\nselect_field = v\nwhere_field = k\nadditional_conditions = and 1\n")
    assert old_query(TableParameters(str(path), Opening())) == "SELECT v FROM t WHERE k = '%s' and 1"
    path.write_text("table = t\n")
    with pytest.raises(TableError, match="bad string length 0 < 1: select_field = "):
        old_query(TableParameters(str(path), Opening()))
