from __future__ import annotations

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.tables.loginsenders import LoginSenders
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError


def allowed(patterns: str, sender: str, *, login: str = "joe", delimiters: str = "+") -> bool:
    maps = Maps("local_login_sender_maps", f"inline:{{{{joe={patterns}}}}}", Snapshot({}))
    return LoginSenders(maps, delimiters=delimiters, null_sender="<>").allows(login, sender)


@pytest.mark.parametrize("sender", ["a@x.example", "A@X.example", "a+ext@x.example", "b@y.example", "c", ""])
def test_allowed(sender: str) -> None:
    assert allowed("A@x.example, @y.EXAMPLE c <>", sender)
    assert allowed("*", sender)


@pytest.mark.parametrize("sender", ["b@x.example", "a@z.y.example", "c@x.example", "a+ext@z.example", "y.example", "@x.example"])
def test_not_allowed(sender: str) -> None:
    assert not allowed("a@x.example, @y.example c *@z.example", sender)
    assert not allowed("a@x.example", "")
    assert not allowed("*", sender, login="jim")


def test_no_extension_without_a_delimiter() -> None:
    assert not allowed("a@x.example", "a+b@x.example", delimiters="")


def test_a_table_that_fails() -> None:
    with pytest.raises(TableError):
        LoginSenders(Maps("x", "fail:x", Snapshot({})), delimiters="", null_sender="<>").allows("joe", "a")
