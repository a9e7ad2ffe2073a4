from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.runtime.task import gather, sleep
from pyfix.tables.python import PythonTable
from pyfix.tables.source import changed_table, open_or_unavailable, open_table
from pyfix.tables.table import Opening, TableError
from tests.unit.runtime.forked import on_loop

from .conftest import Notices, Parameters

LOOKUPS = '''\
import threading

together, go_on = threading.Barrier(7), threading.Event()

DOMAINS = {"ours.example": "OK"}

def domain(key):
    """Ten lines are enough."""
    if key == "boom":
        raise ValueError("no such thing\\nsecond line")
    if key == "exit":
        raise SystemExit(3)
    if key == "number":
        return 5
    if key == "bytes":
        return "\\udcff"
    if key == "thread":
        return str(threading.current_thread() is threading.main_thread())
    if key == "slow":
        together.wait(20)
        return "late" if go_on.wait(20) else "stopped"
    return DOMAINS.get(key.rpartition("@")[2])

value = 5
'''

Site = Callable[..., Parameters]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    def write(text: str = LOOKUPS, allowed: str = "lookups:domain, lookups:value json:dumps lookups:none nosuch:f lookups") -> Parameters:
        (tmp_path / "lookups.py").write_text(text)
        return Parameters(config_directory=str(tmp_path), pyfix_python_tables=allowed, daemon_table_open_error_is_fatal="no")

    return write


def test_answers(site: Site, notices: Notices) -> None:
    table = open_table("python:lookups:domain", site(), share=False)
    assert not table.local and not table.pattern and not table.changed()
    assert table.find_now("User@OURS.example") == "OK"
    assert table.find_now("user@theirs.example") is None
    assert table.find_now("\udcff") is None and "non-UTF-8 key" in notices.take()[0]
    assert notices == []


def test_it_is_off_unless_it_is_listed(site: Site) -> None:
    for allowed in ("", "lookups", "lookups:other", "python"):
        with pytest.raises(TableError, match="open python:lookups:domain: not listed in pyfix_python_tables"):
            open_table("python:lookups:domain", site(allowed=allowed), share=False)
    with pytest.raises(TableError, match="not listed"):
        PythonTable("os:system", Opening())
    assert open_table("python:lookups:domain", site(allowed="python:lookups:domain"), share=False)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("lookups:none", "module lookups has no function none"),
        ("lookups:value", "module lookups has no function value"),
        ("lookups", "need python:module:function"),
        ("nosuch:f", "ModuleNotFoundError: No module named 'nosuch'"),
    ],
)
def test_what_cannot_be_opened(site: Site, name: str, why: str) -> None:
    with pytest.raises(TableError, match=why):
        open_table(f"python:{name}", site(), share=False)


def test_modules_that_are_installed(site: Site) -> None:
    assert open_table("python:json:dumps", site(), share=False).find_now("a") == '"a"'


def test_errors_are_temporary_and_told_of_with_their_place(site: Site, notices: Notices) -> None:
    table = open_table("python:lookups:domain", site(), share=False)
    with pytest.raises(TableError, match="table python:lookups:domain: query error: ValueError"):
        table.find_now("Boom")
    said = notices.take()
    assert said[0] == 'warning: python:lookups:domain: lookup of "boom" failed: ValueError: no such thing'
    assert any('/lookups.py", line 10, in domain' in line for line in said) and not any("\n" in line for line in said)
    assert said[-1] == "warning: second line" and not any("tables/python.py" in line for line in said)
    for key in ("exit", "number"):
        with pytest.raises(TableError, match="query error"):
            table.find_now(key)
    assert notices.take()[-1] == 'warning: python:lookups:domain: lookup of "number" returned int, not str or None'
    with pytest.raises(TableError, match="query error"):
        table.find_now("bytes")
    assert "non-UTF-8 value" in notices[-1]


def test_a_module_with_a_mistake_in_it(site: Site, notices: Notices) -> None:
    for text, error in (("def domain(:\n", "SyntaxError"), ("1/0\n", "ZeroDivisionError"), ("raise SystemExit\n", "SystemExit")):
        with pytest.raises(TableError, match=f"open python:lookups:domain: {error}"):
            open_table("python:lookups:domain", site(text), share=False)
        assert error in notices.take()[0]


def test_one_that_is_mended_is_there_without_a_new_process(site: Site, notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = site("1/0\n")
    table = open_or_unavailable("python:lookups:domain", parameters)
    assert notices[-1].startswith("error: open python:lookups:domain: ZeroDivisionError")
    site()
    assert table.find_now("a@ours.example") == "OK"


def test_a_changed_file_is_noticed(site: Site, tmp_path: Path) -> None:
    parameters = site()
    table = open_table("python:lookups:domain", parameters)
    assert changed_table() is None
    site(LOOKUPS.replace('"OK"', '"NEW"'))
    assert changed_table() == "python:lookups:domain(0,lock|fold_fix|utf8_request)"
    assert table.find_now("a@ours.example") == "OK"
    again = open_table("python:lookups:domain", parameters, share=False)
    assert again.find_now("a@ours.example") == "NEW" and not again.changed()
    (tmp_path / "new").write_text(LOOKUPS)
    os.replace(tmp_path / "new", tmp_path / "lookups.py")
    assert again.changed()
    assert not (tmp_path / "__pycache__").exists()
    again.close()


def test_a_file_that_others_may_write(site: Site, tmp_path: Path) -> None:
    parameters = site()
    (tmp_path / "lookups.py").chmod(0o666)
    with pytest.raises(TableError, match="others may write this file"):
        open_table("python:lookups:domain", parameters, share=False)


def test_two_tables_share_what_a_module_has(site: Site) -> None:
    text = "seen = []\ndef domain(key):\n    seen.append(key)\ndef value(key):\n    return ','.join(seen)\n"
    parameters = site(text)
    first, second = (open_table(f"python:lookups:{name}", parameters, share=False) for name in ("domain", "value"))
    assert first.find_now("a") is None and second.find_now("b") == "a"


def test_the_loop_goes_on(site: Site) -> None:
    """Lookups that take long stop nobody else, and each other neither."""
    parameters = site()

    async def test() -> list[object]:
        table = open_table("python:lookups:domain", parameters, share=False)
        go_on = sys.modules["python_table_lookups"].go_on
        found: list[str | None] = []

        async def tick() -> None:
            """All lookups wait for each other, and for what comes after twenty turns of the loop."""
            for _ in range(20):
                await sleep(0.002)
            found.append("twenty turns")
            go_on.set()

        async def ask(key: str) -> None:
            found.append(await table.find(key))

        await gather(ask("thread"), *(ask("slow") for _ in range(7)), tick())
        try:
            await table.find("boom")
        except TableError:
            found.append("error")
        return [*found, threading.active_count() > 1]

    assert on_loop(test) == ["False", "twenty turns", *["late"] * 7, "error", True]
