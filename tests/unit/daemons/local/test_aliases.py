from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.daemons.local.aliases import Aliases
from pyfix.runtime.task import run_now
from pyfix.tables.table import TableError

TABLE = "inline:{{list=a, b@x.example}, {owner-list=c}}"


def aliases(maps: str = TABLE, *, owners: bool = True) -> Aliases:
    settings: Any = SimpleNamespace(alias_maps=maps, snapshot=None, owner_request_special=owners)
    return Aliases(settings)


def test_names_and_owners() -> None:
    found = run_now(aliases().find("LIST"))
    assert found is not None and (found.name, found.members) == ("LIST", "a, b@x.example")
    assert found.table.owner() == 0
    assert run_now(aliases().find("nobody")) is None
    assert run_now(aliases().find_owner("list")) == ("owner-list", "c")
    assert run_now(aliases().find_owner("owner-list")) is None
    assert run_now(aliases(owners=False).find_owner("list")) is None


def test_a_table_that_fails() -> None:
    with pytest.raises(TableError):
        run_now(aliases("fail:x").find("list"))


def test_no_part_of_an_address_goes_into_an_alias(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("/^(.*)-x$/ \"|/bin/$1\"\n/^b/ c\n")
    found = aliases(f"regexp:{rules}")
    assert run_now(found.find("a-x")) is None
    alias = run_now(found.find("b-x"))
    assert alias is not None and alias.members == "c"
    assert alias.table.owner() == rules.stat().st_uid
