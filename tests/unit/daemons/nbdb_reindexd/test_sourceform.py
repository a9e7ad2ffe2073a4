from __future__ import annotations

import pytest

from pyfix.daemons.nbdb_reindexd.sourceform import command_for


@pytest.mark.parametrize(
    "text",
    ["# c\n\nroot: x\n", "root:x\n", '"a b": x\n', "a: b\n c: d\n", "/x/: y\n", "a: :include:/x\n", "a\\ b: c\n", "a: b\nc: d"],
)
def test_aliases(text: str) -> None:
    assert command_for(text) == "postalias"


@pytest.mark.parametrize(
    "text",
    ["", "# c\n", "a b\nroot: x\n", "root: x\na b\n", "root : x\n", "a:b c\n", ":\n", "a:\n", "http://x y\n", "a b: c\n", "a, b: x\n"],
)
def test_other_tables(text: str) -> None:
    assert command_for(text) == "postmap"
