from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.runtime.task import gather, sleep
from pyfix.tables.source import open_table
from pyfix.tables.sqlite import SqliteTable, _first_statement, _quote
from pyfix.tables.table import Opening, TableError
from pyfix.tables.template import Template
from tests.unit.runtime.forked import on_loop

from .conftest import Notices

SELECT = "query = SELECT v FROM t WHERE k='%s'\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite")
    database = sqlite3.connect(path / "db")
    database.executescript("create table t(k text, v text); insert into t values('a','1'),('a','2'),('b;c','semi'),('e','');")
    database.close()
    return path


def configure(folder: Path, text: str = SELECT) -> str:
    path = folder / "t.cf"
    path.write_text(f"dbpath = {folder}/db\n{text}")
    return f"sqlite:{path}"


def test_answers(folder: Path, notices: Notices) -> None:
    table = open_table(configure(folder), share=False)
    assert not table.local and not table.pattern
    assert [table.find_now(key) for key in ("a", "A", "b;c", "e", "none", "", "\udcff", "x\0y")] == [
        "1,2", "1,2", "semi", None, None, None, None, None,
    ]  # fmt: skip
    assert [line.partition('": ')[2] for line in notices[:2]] == ['empty lookup result for: "e" -- ignored', "empty query string -- ignored"]
    table.close()
    assert table.find_now("a") == "1,2"


def test_a_damaged_name_in_the_words_of_an_error(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "db")
    database.execute("create table t(k text primary key, v text)")
    database.close()
    whole = (tmp_path / "db").read_bytes()
    assert b"sqlite_autoindex" in whole
    (tmp_path / "db").write_bytes(whole.replace(b"sqlite_autoindex", b"sqlite_au\xf4oindex"))
    with pytest.raises(TableError, match="SQL prepare failed"):
        SqliteTable(configure(tmp_path).removeprefix("sqlite:"), Opening()).find_now("a")


@given(st.text())
def test_no_key_ends_the_quotes(key: str) -> None:
    connection = sqlite3.connect(":memory:")
    text = Template("SELECT '%s'", "f").expand(key, quote=_quote)
    if text is None or "\0" in key:
        return
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert _first_statement(text) == text
    assert connection.execute(text).fetchall() == [(key,)]


def test_errors_are_no_answers(folder: Path, notices: Notices) -> None:
    for text, reason in [
        ("query = SELECT nosuch FROM t\n", "SQL prepare failed: no such column"),
        ("query = SELECT v FROM t; DROP TABLE t\n", ""),
        ("query = UPDATE t SET v = ''\n", "query error"),
        ("query = DROP TABLE t\n", "query error"),
        (SELECT + "expansion_limit = 1\n", "query error"),
    ]:
        table = open_table(configure(folder, text), share=False)
        if not reason:
            assert table.find_now("a") == "1,2,semi"
            continue
        with pytest.raises(TableError, match=reason):
            table.find_now("a")
    assert "SQL step failed" in notices[1] and "Expansion limit exceeded for key 'a'" in notices[-1]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"open database .*: No such file or directory"):
        open_table(configure(tmp_path))
    assert not (tmp_path / "db").exists()


def test_the_loop_goes_on(folder: Path, notices: Notices) -> None:
    """A query that takes long stops nobody else, and what a thread has to say is said by the loop's."""
    slow = (
        "query = WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x < 3000000) SELECT count(*) FROM n "
        "WHERE '%s' <> ''\n"
    )
    reference = configure(folder, slow)

    async def test() -> list[object]:
        table = open_table(reference, share=False)
        ticks = meanwhile = 0

        async def tick() -> None:
            nonlocal ticks
            for _ in range(20):
                await sleep(0.002)
                ticks += 1

        async def ask() -> None:
            nonlocal found, meanwhile
            found = await table.find("a")
            meanwhile = ticks

        found: str | None = None
        await gather(tick(), ask())
        configure(folder, "query = SELECT nosuch FROM t\n")
        broken = SqliteTable(reference.partition(":")[2], Opening())
        try:
            await broken.find("a")
        except TableError as error:
            return [found, meanwhile > 5, "prepare failed" in str(error)]
        return ["no error"]

    assert on_loop(test) == ["3000000", True, True]
    assert notices == []  # they are those of the child
