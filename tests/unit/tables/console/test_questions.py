from pathlib import Path

import pytest

from pyfix.tables.build import build_table
from pyfix.tables.console.printer import Printer
from pyfix.tables.console.questions import list_table, query_many, query_one
from pyfix.tables.table import Opening, TableError


class Recorder(Printer):
    """Keeps what would be shown."""

    def __init__(self) -> None:
        super().__init__("\t")
        self.lines: list[str] = []

    def pair(self, key: str, value: str) -> None:
        self.lines.append(f"{key}={value}")

    def answer(self, key: str, value: str) -> None:
        self.lines.append(value)


OPENING = Opening()
TABLES = ["inline:{a=1}", "inline:{a=2, b=3}"]


def test_one() -> None:
    printer = Recorder()
    assert query_one(TABLES, "B", OPENING, printer) == 0
    assert query_one(TABLES, "c", OPENING, printer) == 1
    assert printer.lines == ["3"]


def test_one_opens_no_more_tables_than_it_needs() -> None:
    assert query_one(["static:x", "nosuch:y"], "k", OPENING, Recorder()) == 0
    with pytest.raises(TableError, match="unsupported dictionary type"):
        query_one(["inline:{a=b}", "nosuch:y"], "k", OPENING, Recorder())


def test_many() -> None:
    printer = Recorder()
    assert query_many(TABLES, iter(["A", "x", "b"]), OPENING, printer) == 0
    assert printer.lines == ["A=1", "b=3"]
    assert query_many(TABLES, iter(["x"]), OPENING, printer) == 1


def test_empty_values(notices: list[str]) -> None:
    query_one(["inline:{a=}"], "a", OPENING, Recorder())
    query_many(["inline:{a=}"], iter(["a"]), OPENING, Recorder())
    assert (
        notices
        == [
            "warning: table inline:{a=}: key a: empty string result is not allowed",
            "warning: table inline:{a=} should return NO RESULT in case of NOT FOUND",
        ]
        * 2
    )


def test_list(tmp_path: Path, notices: list[str]) -> None:
    name = str(tmp_path / "t")
    build_table("btree", name, [("b", "2"), ("a", "1"), ("", "3"), ("d", "")])
    printer = Recorder()
    assert list_table(f"btree:{name}", OPENING, printer) == 0
    assert printer.lines == ["=3", "a=1", "b=2", "d="]
    assert notices[0] == f"warning: table btree:{name}.db: empty lookup key value is not allowed"
    assert notices[1] == f"warning: table btree:{name}.db: key d: empty string result is not allowed"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("static:a", "table static:a: sequence operation is not supported"),
        ("debug:static:a", "table static:a: sequence operation is not supported"),
        ("fail:a", "table fail:a: sequence error: Application error"),
    ],
)
def test_what_cannot_be_listed(table: str, text: str) -> None:
    with pytest.raises(TableError, match=text):
        list_table(table, OPENING, Recorder())
