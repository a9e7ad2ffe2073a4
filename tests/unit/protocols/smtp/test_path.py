from __future__ import annotations

import pytest

from pyfix.protocols.smtp.path import parse_path

BOTH = {
    "<a@x>": "a@x", "<>": "", "< >": "", "<a>": "a", "<@a,@b:c@d>": "c@d", "<@a:b>": "b", '<"a b"@x>': "a b@x",
    "<a\\@b@c>": "a@b@c", "<a@[IPv6:::1]>": "a@[IPv6:::1]", "<<a@x>>": "a@x", '<"">': "", "<a . b@c>": "a.b@c",
    "<a b@x>": None, "<a@x,b@y>": None, "<a@x>b": None, "<a;b@x>": None, "a b": None,
}  # fmt: skip
LENIENT = {
    "a@x": "a@x", "(c)a@x": "a@x", "<Foo <a@x>>": "a@x", "<g:a@x;>": "a@x", "<a,>": "a", "a:b;": "b", "<@x>": "@x",
    "<(a@x>": "", "x<>": "", "<>x": "x", "a@x>": "a@x", '""': "",
}  # fmt: skip


@pytest.mark.parametrize(("path", "address"), BOTH.items())
@pytest.mark.parametrize("strict", [False, True])
def test_paths(path: str, address: str | None, strict: bool) -> None:
    assert parse_path(path, strict=strict) == address


@pytest.mark.parametrize(("path", "address"), LENIENT.items())
def test_what_only_strict_refuses(path: str, address: str) -> None:
    assert parse_path(path, strict=False) == address
    assert parse_path(path, strict=True) is None
