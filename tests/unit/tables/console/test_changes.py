import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.console.changes import Source, add, delete, make
from pyfix.tables.console.options import Fatal, Options
from pyfix.tables.source import open_table
from pyfix.tables.table import Opening, TableError
from pyfix.tables.textfile import entries_of

OPENING = Opening(None, bits.ORDINARY | bits.DUP_WARN)
NONE = Options([], "op", "")


def content(reference: str) -> dict[str, str]:
    return dict(open_table(reference, share=False).items())  # type: ignore[attr-defined]  # only this type has it


@pytest.fixture
def name(tmp_path: Path) -> str:
    path = tmp_path / "t"
    path.write_text("a 1\nb 2\n")
    make(f"hash:{path}", OPENING, NONE, entries_of)
    return str(path)


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    class Standard:
        buffer = io.BytesIO(data)

    monkeypatch.setattr(sys, "stdin", Standard())


def test_make(name: str, tmp_path: Path) -> None:
    assert content(f"hash:{name}") == {"a": "1", "b": "2"}
    make(f"btree:{name}", OPENING, NONE, entries_of, lambda: {"Mark": "x"})
    assert content(f"btree:{name}") == {"Mark": "x", "a": "1", "b": "2"}
    assert sorted(os.listdir(tmp_path)) == ["t", "t.db"]


def test_a_table_that_fails_half_way_stays_as_it_was(name: str) -> None:
    def failing(text: str, path: str) -> Iterator[tuple[int, str, str]]:
        yield 1, "new", "x"
        raise TableError("half way")

    before = Path(name + ".db").read_bytes()
    with pytest.raises(TableError, match="half way"):
        make(f"hash:{name}", OPENING, NONE, failing)
    assert Path(name + ".db").read_bytes() == before
    assert not os.path.exists(name + ".db.tmp")


def test_what_is_not_made(name: str) -> None:
    for kind, text in (
        ("texthash", "no 'map create' support for this type: texthash"),
        ("foo", "unsupported map type"),
    ):
        with pytest.raises(Fatal, match=text):
            make(f"{kind}:{name}", OPENING, NONE, entries_of)
    with pytest.raises(TableError, match=f"table fail:{name}: write error: Application error"):
        make(f"fail:{name}", OPENING, NONE, entries_of)
    with pytest.raises(Fatal, match="open /nonexistent: No such file or directory"):
        make("hash:/nonexistent", OPENING, NONE, entries_of)


def test_add(name: str, monkeypatch: pytest.MonkeyPatch, notices: list[str]) -> None:
    stdin(monkeypatch, b"c 3\na 9\nbad\n")
    add(f"hash:{name}", OPENING, entries_of)
    assert content(f"hash:{name}") == {"a": "1", "b": "2", "c": "3"}
    assert notices == [
        f'warning: {name}.db: duplicate entry: "a"',
        "warning: stdin, line 3: expected format: key whitespace value",
    ]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("static:a", "table static:a: update operation is not supported"),
        ("debug:static:a", "table static:a: update operation is not supported"),
        ("fail:a", "table fail:a: write error: Application error"),
        ("randmap:{a}", "randmap:{a} map requires O_RDONLY access mode"),
        ("cdb:/x", "unsupported non-bulk change request"),
    ],
)
def test_what_is_not_added_to(table: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, b"k v\n")
    with pytest.raises(TableError) as raised:
        add(table, OPENING, entries_of)
    assert str(raised.value) == text


def test_tables_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, b"k v\n")
    add("internal:adding", OPENING, entries_of)
    assert content("internal:adding") == {"k": "v"}
    assert delete(["internal:adding"], iter(["K"]), OPENING) == 0
    assert delete(["internal:adding"], iter(["K"]), OPENING) == 1
    add("environ:x", OPENING, entries_of)
    with pytest.raises(Fatal, match="unsupported map type: foo"):
        add("foo:x", OPENING, entries_of)


def test_delete(name: str) -> None:
    assert delete([f"hash:{name}"], iter(["A", "zz", ""]), OPENING) == 0
    assert delete([f"hash:{name}"], iter(["A"]), OPENING) == 1
    assert content(f"hash:{name}") == {"b": "2"}
    for table, text in (
        ("static:a", "delete operation is not supported"),
        ("fail:a", "table fail:a: delete error: Application error"),
        ("texthash:/x", "requires O_RDONLY access mode"),
        ("hash:", "open dictionary: expecting"),
        ("hash:/nonexistent", "No such file or directory"),
    ):
        with pytest.raises(TableError, match=text):
            delete([table], iter(["k"]), OPENING)


def test_modes(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("")
    before = os.umask(0o027)
    try:
        for mode, plain, mask in (
            (0o640, False, 0o137),
            (0o644, False, 0o133),
            (0o400, False, 0o177),
            (0o600, True, 0o022),
        ):
            path.chmod(mode)
            restore = Source(str(path)).take_rights(keep_root=True, plain_mode=plain)
            assert os.umask(0o077) == mask
            restore()
            assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


@pytest.mark.root
def test_rights_of_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("a b\n")
    os.chown(path, 65534, 65534)
    groups = os.getgroups()
    restore = Source(str(path)).take_rights(keep_root=False, plain_mode=False)
    try:
        assert (os.geteuid(), os.getegid(), os.getgroups()) == (65534, 65534, [65534])
    finally:
        restore()
    assert (os.geteuid(), os.getegid(), os.getgroups()) == (0, 0, groups)
    restore = Source(str(path)).take_rights(keep_root=True, plain_mode=False)
    assert os.geteuid() == 0
    restore()
