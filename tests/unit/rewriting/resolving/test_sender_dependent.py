from __future__ import annotations

from collections.abc import Callable

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.rewriting.resolving.sender_dependent import SenderTable
from pyfix.tables.table import TableError

from .conftest import now

Make = Callable[[str], RewriteSettings]


@pytest.mark.parametrize(
    "sender, value",
    [("a@x.test", "one"), ("a+e@x.test", "one"), ("b@x.test", "two"), ("", "three"), ("d@y.test", None), ("z", None)],
)
def test_find(settings_of: Make, sender: str, value: str | None) -> None:
    tables = ("inline:{a@x.test=one, @x.test=two, <>=three, @y.test=DUNNO}",)
    assert now(SenderTable("some_maps", tables, "<>", settings_of("")).find(sender)) == value


def test_failure_is_logged(settings_of: Make, logged: list[str]) -> None:
    with pytest.raises(TableError):
        now(SenderTable("some_maps", ("fail:x",), "<>", settings_of("")).find(""))
    assert logged == ['warning: fail:x lookup error for ""<>""', "warning: some_maps lookup failure"]


def test_no_tables(settings_of: Make) -> None:
    assert now(SenderTable("some_maps", (), "<>", settings_of("")).find("a@x.test")) is None
