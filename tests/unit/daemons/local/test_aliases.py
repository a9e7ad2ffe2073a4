from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.daemons.local.aliases import Aliases, SpecialTarget
from pyfix.runtime.task import run_now

TABLE = (
    "inline:{{list=a, b@x.example}, {owner-list=c}, {odd=\"odd name\"@x.example}, {cmd=\"|/bin/true\"}, "
    "{file=a, /tmp/x}, {include=:include:/tmp/x}, {path=user/x@y.example}}"
)


def aliases() -> Aliases:
    settings: Any = SimpleNamespace(alias_maps=TABLE, snapshot=None)
    return Aliases(settings)


def test_addresses_and_owners() -> None:
    found = run_now(aliases().find("list+ext", "list"))
    assert found is not None
    assert (found.name, found.addresses, found.owner) == ("list", ["a", "b@x.example"], "owner-list")
    found = run_now(aliases().find("owner-list", "owner-list"))
    assert found is not None and (found.addresses, found.owner) == (["c"], "")
    found = run_now(aliases().find("odd", "odd"))
    assert found is not None and found.addresses == ["odd name@x.example"]
    found = run_now(aliases().find("path", "path"))
    assert found is not None and found.addresses == ["user/x@y.example"]
    assert run_now(aliases().find("nobody", "nobody")) is None


@pytest.mark.parametrize("name", ["cmd", "file", "include"])
def test_what_is_no_address_is_refused(name: str) -> None:
    with pytest.raises(SpecialTarget):
        run_now(aliases().find(name, name))


def test_no_part_of_an_address_goes_into_an_alias(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("/^(.*)-x$/ \"|/bin/$1\"\n/^b/ c\n")
    settings: Any = SimpleNamespace(alias_maps=f"regexp:{rules}", snapshot=None)
    found = Aliases(settings)
    assert run_now(found.find("a-x", "a-x")) is None
    alias = run_now(found.find("b-x", "b-x"))
    assert alias is not None and alias.addresses == ["c"]
