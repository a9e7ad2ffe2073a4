from __future__ import annotations

from typing import Any

from pyfix.rewriting.generic import Generic
from pyfix.runtime.task import run_now
from pyfix.tables.maps import Maps


class Lookup:
    """Finds what the map has for whole addresses."""

    async def find(self, maps: Maps, address: str, *, propagate: bool, shown: str = "") -> list[str] | None:
        value = await maps.find(address)
        return None if value is None else value.split(",")


def generic(table: str) -> Generic:
    lookup: Any = Lookup()
    return Generic(Maps("smtp_generic_maps", table), lookup, propagate=False)


def test_addresses() -> None:
    tables = generic("regexp:{{/^a@x/ b@y.example}, {/^c d@x/ e f@y.example}}")
    assert run_now(tables.internal("a@x.example")) == "b@y.example"
    assert run_now(tables.internal("")) == ""
    assert run_now(tables.internal("z@x.example")) == "z@x.example"
    found = run_now(tables.externals(["a@x.example", '"c d"@x.example', "z@x.example"]))
    assert found == ["b@y.example", '"e f"@y.example', "z@x.example"]


def test_the_first_of_several() -> None:
    assert run_now(generic("inline:{{a@x.example=b@y.example,c@y.example}}").internal("a@x.example")) == "b@y.example"
