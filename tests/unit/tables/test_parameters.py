from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.tables.parameters import TableParameters
from pyfix.tables.table import Opening, TableError

from .conftest import Parameters


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.cf"
    path.write_text("a = one\n  two\nn = 7\ny = YES\nz =\nd = $a\n")
    parameters = TableParameters(str(path), Opening())
    assert parameters.text("a") == "one  two"
    assert (parameters.integer("n", 1), parameters.integer("none", 1)) == (7, 1)
    assert (parameters.boolean("y", False), parameters.boolean("none", True)) == (True, True)
    assert parameters.text("d") == "$a"
    assert parameters.get("none") is None
    for call in (
        lambda: parameters.integer("a", 1),
        lambda: parameters.integer("n", 1, least=8),
        lambda: parameters.boolean("a", True),
        lambda: parameters.needed("z"),
        lambda: parameters.needed("none"),
        lambda: parameters.text("z", least=1),
    ):
        with pytest.raises(TableError, match=f"^{path}: "):
            call()


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"open /nonexistent: No such file or directory"):
        TableParameters("/nonexistent", Opening())
    (tmp_path / "t.cf").write_text("garbage\n")
    with pytest.raises(TableError, match="line 1: missing '=' after attribute name"):
        TableParameters(str(tmp_path / "t.cf"), Opening())


def test_main_cf(parameters: type[Parameters]) -> None:
    opening = Opening(parameters(db_query="q"))
    assert TableParameters("db", opening).text("query") == "q"
    with pytest.raises(TableError, match=r"^bad string length 0 < 1: db_table = "):
        TableParameters("db", opening).needed("table")
    assert TableParameters("db", Opening()).get("query") is None
