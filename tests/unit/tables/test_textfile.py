from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tables.table import TableError
from pyfix.tables.textfile import (
    Malformed,
    NotPlain,
    entries_of,
    even_lines,
    in_order,
    logical_lines,
    plain_entries,
    plain_pieces,
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


@pytest.mark.parametrize("data", PLAIN)
def test_the_same_entries_in_order(data: bytes) -> None:
    quick, ordered = (plain_entries(content, folds=False, end=b"\0") for content in (data, in_order(data)))
    assert (quick is None) == (ordered is None)
    if quick is not None and ordered is not None:
        assert sorted(zip(*quick, strict=True)) == list(zip(*ordered, strict=True))


@given(st.text(alphabet='abB"\\ \t\n#:\0\r\u00e9', max_size=40))
def test_any_text_in_order(text: str) -> None:
    data = text.encode()
    quick, ordered = (plain_entries(content, folds=True, end=b"") for content in (data, in_order(data)))
    assert (quick is None) == (ordered is None)
    if quick is not None and ordered is not None:
        assert sorted(zip(*quick, strict=True)) == sorted(zip(*ordered, strict=True))


@given(st.text(alphabet=st.sampled_from('ab \t\n#:"\\\0\rB\x01\u00e9!'), max_size=40) | st.lists(st.sampled_from(["a 1", "b 2", "!a x", "a! y", "a 2"])).map("\n".join))
def test_any_even_lines(text: str) -> None:
    """What is taken for the plainest kind of file has the same entries by the long way, and nothing to tell of."""
    data = (text + "\n").encode()
    for end in (b"", b"\0"):
        lines = even_lines(data, end=end)
        if lines is not None:
            found = [(key, value) for keys, values in lines for key, value in zip(keys, values, strict=True)]
            quick = plain_entries(data, folds=True, end=end)
            assert quick is not None and sorted(found) == sorted(zip(*quick, strict=True)) and len(found) == len(lines)
            assert [key for key, _ in found] == sorted(key for key, _ in found)


def test_when_lines_are_even() -> None:
    assert [data for data in PLAIN if even_lines(data, end=b"") is not None] == [b"a\x0b1\n"]
    more = b"b 2\na 1\n", b"b\t2\na\t1\n", b"a 1\nb\t2\n", b"a 1\nb 2", b"a 1\n\nb 2\n", b"a 1\n b\n", b"b 2\n a\n", b"a \nb\n"
    assert [even_lines(data, end=b"") is not None for data in more] == [True] * 2 + [False] * 6
    many = even_lines(b"".join(b"k%d v\n" % number for number in range(2500)), end=b"\0")
    assert many is not None and [len(keys) for keys, _ in many] == [1000, 1000, 500] and [*many] == [*many]


def test_many_lines() -> None:
    """More than are taken at a time."""
    lines = [f"key{number} value{number}" for number in range(10_000)]
    found = plain_entries("\n".join([*lines, ""]).encode(), folds=True, end=b"\0")
    assert found is not None
    assert [(key + value).decode() for key, value in zip(*found, strict=True)] == [line.replace(" ", "\0") + "\0" for line in lines]
    assert plain_entries("\n".join([*lines, "a\n b", ""]).encode(), folds=True, end=b"") is None
    assert plain_entries("\n".join([*lines, " b c", ""]).encode(), folds=True, end=b"\0") is None


@pytest.mark.parametrize("data", PLAIN)
def test_the_same_in_pieces(data: bytes) -> None:
    """Whatever stands before the line for which there is no quick way, if there is one."""
    for before in (b"", b"k v\n" * 30_000):
        whole = plain_entries(before + data, folds=True, end=b"\0")
        try:
            pieces = list(plain_pieces(before + data, folds=True, end=b"\0"))
        except NotPlain:
            assert whole is None
            continue
        assert whole is not None and len(pieces) == bool(data or before) + bool(before)
        assert [key for keys, _ in pieces for key in keys] == [*whole[0]]
        assert [value for _, values in pieces for value in values] == [*whole[1]]


def test_when_there_is_a_quick_way() -> None:
    assert [plain_entries(data, folds=True, end=b"") is not None for data in PLAIN[:8]] == [True] * 8
    assert plain_entries(b"a 1\n", folds=True, end=b"\0") == ([b"a\0"], [b"1\0"])
    assert [plain_entries(data, folds=True, end=b"\0") for data in PLAIN[8:16]] == [None] * 8
