from pathlib import Path

import pytest

from pyfix.tables.file_values import decode_value, encode_files
from pyfix.tables.table import TableError


def test_there_and_back(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"key\n")
    two.write_bytes(b"\0cert")
    assert decode_value("t", "k", encode_files(f"{one}, {two}")) == b"key\n\n\0cert"


def test_missing_file() -> None:
    with pytest.raises(TableError, match="open /nonexistent: No such file or directory"):
        encode_files("/nonexistent")


def test_what_is_no_base64(notices: list[str]) -> None:
    with pytest.raises(TableError, match="table hash:x: query error"):
        decode_value("hash:x", "k", "!!")
    assert notices == ["warning: table hash:x: key k: malformed BASE64 value: !!"]
