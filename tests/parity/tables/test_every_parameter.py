"""Each parameter that a manual page of the reference names is read, from a file and from main.cf, and its effect is shown somewhere."""

from __future__ import annotations

import gzip
import re
from contextlib import suppress
from pathlib import Path

import pytest

from pyfix.tables.parameters import TableParameters
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError
from tests.kit import programs, requirements

pytestmark = [pytest.mark.reference]

SETTINGS = {
    "ldap": {"server_host": "ldaps://127.0.0.1:1", "search_base": "dc=x", "bind": "sasl"},
    "mysql": {"hosts": "127.0.0.1:1", "dbname": "x", "table": "t", "select_field": "a", "where_field": "b", "tls_CAfile": "/nonexistent"},
    "pgsql": {"hosts": "127.0.0.1:1", "dbname": "x", "table": "t", "select_field": "a", "where_field": "b"},
    "sqlite": {"dbpath": "{dir}/db", "table": "t", "select_field": "a", "where_field": "b"},
    "memcache": {"memcache": "inet:127.0.0.1:1", "max_try": "1", "retry_pause": "1"},
    "mongodb": {"uri": "mongodb://127.0.0.1:1", "dbname": "x", "collection": "c", "query_filter": "{}", "result_attribute": "a"},
}
"""Of each type with parameters: what makes a table read all of them."""

SHOWN = {
    "ldap": ("parity/tables/test_ldap.py", "parity/tables/test_database_tls.py"),
    "mysql": ("parity/tables/test_sql.py", "parity/tables/test_database_tls.py"),
    "pgsql": ("parity/tables/test_sql.py",),
    "sqlite": ("parity/tables/test_sqlite.py",),
    "memcache": ("parity/tables/test_memcache.py",),
    "mongodb": ("unit/tables/test_mongodb.py",),
}
"""Tests that set the parameters of a type and look at what comes of it."""


class Main:
    """main.cf with the settings of a table called "leg"."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._values = {f"leg_{name}": value for name, value in settings.items()}

    def raw(self, name: str) -> str | None:
        return self._values.get(name)

    def value(self, name: str) -> str:
        return self._values.get(name, "")


def named(kind: str) -> set[str]:
    """Return the parameters of a type by its manual page in the reference."""
    requirements.need_reference()
    root = programs.command_directory("reference").parent
    text = gzip.decompress((root / f"share/man/man5/{kind}_table.5.gz").read_bytes()).decode()
    return set(re.findall(r'^\.IP "?\\fB(\w+)', text, re.MULTILINE))


@pytest.mark.parametrize("kind", SETTINGS)
def test_each_is_read_and_shown(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = named(kind)
    assert len(known) >= 8, known
    read: set[str] = set()
    original = TableParameters.get

    def get(self: TableParameters, parameter: str) -> str | None:
        read.add(parameter)
        return original(self, parameter)

    monkeypatch.setattr(TableParameters, "get", get)
    path = tmp_path / "t.cf"
    settings = {name: value.replace("{dir}", str(tmp_path)) for name, value in SETTINGS[kind].items()}
    path.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (tmp_path / "db").touch()
    ways = []
    for name in (str(path), "leg"):
        read.clear()
        table = open_table(f"{kind}:{name}", Main(settings), share=False)
        with suppress(TableError):  # and whatever is read for the first question only
            table.find_now("a")
        ways.append(set(read))
        table.close()
    assert [known - way for way in ways] == [set(), set()]
    tests = "".join((Path(__file__).parents[2] / name).read_text() for name in SHOWN[kind])
    assert {name for name in known if not re.search(rf"(\\n|[^\w]){name}\b", tests)} == set()

