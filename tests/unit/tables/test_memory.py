import pytest

from pyfix.tables import flags as bits
from pyfix.tables.memory import EnvironTable, FailTable, InlineTable, InternalTable, StaticTable
from pyfix.tables.table import Opening, TableError

OPENING = Opening()


def test_static() -> None:
    assert StaticTable("a b", OPENING).find_now("anything") == "a b"
    assert StaticTable("{ a b }", OPENING).find_now("") == "a b"
    for name in ("{ a", "{a}b"):
        with pytest.raises(TableError, match="bad static:name syntax"):
            StaticTable(name, OPENING)


def test_fail() -> None:
    with pytest.raises(TableError, match="table fail:x: query error: Application error"):
        FailTable("x", OPENING).find_now("k")


def test_inline() -> None:
    table = InlineTable("{a=1, { B = two words }, c=x=y, a=z}", OPENING)
    assert [table.find_now(key) for key in ("A", "b", "c", "d")] == ["z", "two words", "x=y", None]
    assert list(table.items()) == [("a", "z"), ("b", "two words"), ("c", "x=y")]
    assert InlineTable("{A=1}", Opening(None, 0)).find_now("a") is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x", 'bad syntax: "inline:x"; need "inline:{name=value...}"'),
        ("{ }", 'empty table: "inline:{ }"; need "inline:{name=value...}"'),
        ("{a}", 'missing \'=\' after attribute name: "inline:{a}"; need "inline:{name=value...}"'),
        ("{{a=b}x}", 'syntax error after \'}\' in "{a=b}x": "inline:{{a=b}x}"; need "inline:{name=value...}"'),
    ],
)
def test_bad_inline(name: str, text: str) -> None:
    with pytest.raises(TableError) as raised:
        InlineTable(name, OPENING)
    assert str(raised.value) == text


def test_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("lower_case", "yes")
    monkeypatch.setenv("UPPER_CASE", "yes")
    assert EnvironTable("x", OPENING).find_now("LOWER_case") == "yes"
    assert EnvironTable("x", OPENING).find_now("UPPER_CASE") is None
    assert EnvironTable("x", Opening(None, bits.LOCK)).find_now("UPPER_CASE") == "yes"


def test_internal_is_shared_by_name() -> None:
    one, same, other = (InternalTable(name, OPENING) for name in ("n1", "n1", "n2"))
    one.store("Key", "v")
    assert same.find_now("kEY") == "v"
    assert other.find_now("key") is None
    assert same.remove("KEY")
    assert not one.remove("key")
    assert one.find_now("key") is None
