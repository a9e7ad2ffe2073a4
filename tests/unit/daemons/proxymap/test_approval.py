from __future__ import annotations

import pytest

from pyfix.daemons.proxymap.approval import approved_tables, without_prefix


@pytest.mark.parametrize(
    ("value", "tables"),
    [
        ("", set()),
        ("hash:/x, proxy:hash:/y proxy:proxy:hash:/z", {"hash:/y", "hash:/z"}),
        ("proxy:inline:{{a=b c}, {d=e}}, proxy:static:x", {"inline:{{a=b c}, {d=e}}", "static:x"}),
        ("proxy:pipemap:{hash:/a,hash:/b}\n proxy:unix:passwd.byname", {"pipemap:{hash:/a,hash:/b}", "unix:passwd.byname"}),
    ],
)
def test_approved_tables(value: str, tables: set[str]) -> None:
    assert approved_tables(value) == tables


def test_prefix() -> None:
    assert without_prefix("proxy:proxy:hash:/x") == "hash:/x" == without_prefix("hash:/x")
