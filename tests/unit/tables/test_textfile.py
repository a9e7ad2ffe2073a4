from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tables.table import TableError
from pyfix.tables.textfile import Malformed, entries_of, logical_lines, read_entries, read_text, split_entry


def test_logical_lines(notices: list[str]) -> None:
    text = "a 1\n # comment\n\n 2\n#x\nb\n\tc\n  \nlast"
    assert list(logical_lines(text, "f")) == [(1, "a 1 2"), (6, "b\tc"), (9, "last")]
    assert not notices


def test_a_first_line_that_continues_nothing(notices: list[str]) -> None:
    assert list(logical_lines("  lead\n more\na b\n", "f")) == [(3, "a b")]
    assert list(logical_lines("  lead\n", "f")) == []
    assert notices == [
        'warning: f: logical line must not start with whitespace: "  lead more"',
        'warning: f: logical line must not start with whitespace: "  lead"',
    ]


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("a b", ("a", "b")),
        ("a\t b c \r", ("a", "b c")),
        ('"a b" c', ('"a b"', "c")),
        ('"a\\" b" c', ('"a\\" b"', "c")),
        ('x"a b"y c', ('x"a b"y', "c")),
        ("a\\ b c", ("a\\ b", "c")),
        ("z \\", ("z", "\\")),
        ("a\xa0b c", ("a\xa0b", "c")),
        ('"" x', ('""', "x")),
        ('a "b', ("a", '"b')),
    ],
)
def test_split_entry(line: str, entry: tuple[str, str]) -> None:
    assert split_entry(line) == entry


@pytest.mark.parametrize("line", ["", "a", '"a b"', "a  ", "\\"])
def test_no_entry(line: str) -> None:
    with pytest.raises(Malformed, match="expected format: key whitespace value"):
        split_entry(line)


def test_unbalanced_quotes() -> None:
    with pytest.raises(Malformed, match="unbalanced '\"' in 'bad\"k v'"):
        split_entry('bad"k v')


def test_warnings_of_entries(notices: list[str]) -> None:
    text = 'a 1\nonly\nb"x y\nk: v\nn\0ul z\nu\udcff v\n'
    assert list(entries_of(text, "f", utf8=True)) == [(1, "a", "1"), (4, "k:", "v")]
    assert notices == [
        "warning: f, line 2: expected format: key whitespace value",
        "warning: f, line 3: unbalanced '\"' in 'b\"x y' -- ignoring this line",
        'warning: f, line 4: record is in "key: value" format; is this an alias file?',
        "warning: f, line 5: text after null byte may be ignored",
        "warning: f, line 5: expected format: key whitespace value",
        'warning: f, line 6: non-UTF-8 input "u? v" -- ignoring this line',
    ]


def test_files_as_values(tmp_path: Path, notices: list[str]) -> None:
    (tmp_path / "v").write_bytes(b"\0x")
    assert list(entries_of(f"a {tmp_path}/v\nb {tmp_path}/none\n", "f", files=True)) == [(1, "a", "AHg=")]
    assert notices == [f"warning: f, line 2: open {tmp_path}/none: No such file or directory: skipping this entry"]


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"a \xff\n")
    assert list(read_entries(str(path))) == [(1, "a", "\udcff")]
    with pytest.raises(TableError, match=f"open {tmp_path}/none: No such file or directory"):
        read_text(f"{tmp_path}/none")
    with pytest.raises(TableError, match=r"open database .*none: No such file"):
        list(read_entries(f"{tmp_path}/none", ignoring=" -- ignoring this line"))
    with pytest.raises(TableError, match=f"read {tmp_path}: Is a directory"):
        read_text(str(tmp_path))


@given(st.text(alphabet='ab"\\ \t\n#:\0\udcff', max_size=40))
def test_any_text_is_read(text: str) -> None:
    for number, key, value in entries_of(text, "f", utf8=True):
        assert 0 < number <= text.count("\n") + 1
        assert key and value and value == value.strip(" \t")
