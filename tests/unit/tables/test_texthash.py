from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.table import Opening, TableError
from pyfix.tables.texthash import TexthashTable


def test_first_entry_wins(tmp_path: Path, notices: list[str]) -> None:
    path = tmp_path / "t"
    path.write_text("A 1\na 2\nonly\nb 3\n")
    table = TexthashTable(str(path), Opening())
    assert list(table.items()) == [("a", "1"), ("b", "3")]
    assert table.find_now("B") == "3"
    assert notices == [
        f'warning: {path}, line 2: duplicate entry: "a"',
        f"warning: {path}, line 3: expected format: key whitespace value -- ignoring this line",
    ]


def test_case_is_kept_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("A 1\na 2\n")
    table = TexthashTable(str(path), Opening(None, bits.LOCK))
    assert (table.find_now("A"), table.find_now("a")) == ("1", "2")


def test_files_as_values(tmp_path: Path, notices: list[str]) -> None:
    path = tmp_path / "t"
    (tmp_path / "v").write_text("x")
    path.write_text(f"a {tmp_path}/v\nb {tmp_path}/none\n")
    assert list(TexthashTable(str(path), Opening(None, bits.SRC_RHS_IS_FILE)).items()) == [("a", "eA==")]
    assert "line 2" in notices[0] and notices[0].endswith("skipping this entry")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"open database .*: No such file or directory"):
        TexthashTable(f"{tmp_path}/none", Opening())
