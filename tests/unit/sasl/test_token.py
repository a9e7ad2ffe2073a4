from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyfix.sasl.token import fetch_token
from pyfix.tables.table import TableError
from tests.unit.runtime.forked import on_loop


def fetched(source: str) -> object:
    async def test() -> str:
        try:
            return await fetch_token(source)
        except TableError as error:
            return f"TableError: {error}"

    return on_loop(test)


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("ya29.abc\n")
    assert fetched(f"file:{path}") == "ya29.abc"
    assert fetched(f"command:{sys.executable} -c 'print(\"t0ken\")'") == "t0ken"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("file:/nowhere", "No such file or directory"), ("command:/nowhere", "No such file or directory"), ("command:/bin/false", "ended with status 1"),
        ("command:/bin/true", "no token"), ("command:", "command for a token"), ("file:/dev/null", "no token"), ("secret", "a token is at"),
    ],
)  # fmt: skip
def test_none(source: str, problem: str) -> None:
    found = str(fetched(source))
    assert found.startswith("TableError: ")
    assert problem in found
    assert "secret" not in found
