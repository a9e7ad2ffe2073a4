from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tables.table import TableError
from pyfix.tables.textfile import (
    Malformed,
    entries_of,
    logical_lines,
    plain_entries,
    read_entries,
    read_text,
    split_entry,
)


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


PLAIN = [
    b"a 1\nB 2\n", b"a\t1\nB\t2\n", b"a 1\n\nb  two words \n# c\nC\t\t3\r\n", b"a 1", b"", b"\n\n", b"#\n", b"a x:y\nb \"q\" \\z\n",
    b"a: 1\n", b"a 1\nb: 2\n", b'"a" 1\n', b"a\\b 1\n", b" a 1\n", b"a 1\n b\n", b"a\n", b"a 1\nb\n", b"a 1 \nb 2\n", b"#a 1\n",
    b"\xc3\xa9 1\n", b"a \xff\n", b"a 1\0\n", b"a 1\nb 2 ", b"a\x0b1\n", b"a 1\n\t\nb 2\n", b"a 1\n\tb 2\n",
    b"\ta 1\n", b"a\n1\nb\n2\n",
]  # fmt: skip


@pytest.mark.parametrize("data", PLAIN)
@pytest.mark.parametrize("end", [b"", b"\0"])
@pytest.mark.parametrize("folds", [False, True])
def test_the_quick_way_is_the_long_one(data: bytes, end: bytes, folds: bool, notices: list[str]) -> None:
    """Where it may be used; and there is then nothing to warn of."""
    quick = plain_entries(data, folds=folds, end=end)
    text = data.decode(errors="surrogateescape")
    entries = list(entries_of(text, "f"))
    if quick is not None:
        keys = [(key.lower() if folds else key).encode() + end for _, key, _ in entries]
        assert [*quick[0]] == keys
        assert [*quick[1]] == [value.encode() + end for *_, value in entries]
        assert not notices


def test_when_there_is_a_quick_way() -> None:
    assert [plain_entries(data, folds=True, end=b"") is not None for data in PLAIN[:8]] == [True] * 8
    assert plain_entries(b"a 1\n", folds=True, end=b"\0") == ([b"a\0"], [b"1\0"])
    assert [plain_entries(data, folds=True, end=b"\0") for data in PLAIN[8:16]] == [None] * 8
