from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.cidr import CidrTable
from pyfix.tables.table import Opening, TableError


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("{{1.2.3.4 x}", "cidr map: missing '}' in \"{{1.2.3.4 x}\""),
        ("{1.2.3.0/24=x, {1.2.3.4 y}}", "cidr map: no '{' at start of text in \"1.2.3.0/24=x\""),
        ("{{1.2.3.4 x} y}", "cidr map: no '{' at start of text in \"y\""),
    ],
)
def test_braces(name: str, text: str) -> None:
    with pytest.raises(TableError) as raised:
        CidrTable(name, Opening())
    assert str(raised.value) == text


def test_text_after_the_braces() -> None:
    with pytest.raises(TableError, match="syntax error after"):
        CidrTable("{{1.2.3.4 x}} y", Opening())


def test_nothing_inside() -> None:
    assert CidrTable("{}", Opening()).find_now("1.2.3.4") is None


def test_conditions_that_do_not_end(notices: list[str]) -> None:
    table = CidrTable("{{if 1.0.0.0/8}, {if 1.2.0.0/16}, {1.2.3.4 x}}", Opening())
    assert [table.find_now(key) for key in ("1.2.3.4", "2.2.3.4")] == ["x", None]
    assert [line.rpartition(", ")[2] for line in notices] == [
        "line 2: IF has no matching ENDIF",
        "line 1: IF has no matching ENDIF",
    ]


def test_files_as_values(tmp_path: Path, notices: list[str]) -> None:
    (tmp_path / "v").write_text("x")
    table = CidrTable(f"{{{{1.1.1.1 {tmp_path}/v}}, {{2.2.2.2 /nonexistent}}}}", Opening(None, bits.SRC_RHS_IS_FILE))
    assert [table.find_now(key) for key in ("1.1.1.1", "2.2.2.2")] == ["eA==", None]
    assert notices[0].endswith("line 2: open /nonexistent: No such file or directory: skipping this rule")
