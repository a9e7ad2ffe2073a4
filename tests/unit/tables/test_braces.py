import pytest

from pyfix.tables.braces import BraceError, matching, members, split_words, unbrace


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" a, b\tc,,d\n", ["a", "b", "c", "d"]),
        ("a {b c} d", ["a", "{b c}", "d"]),
        ("inline:{a=b, c=d} hash:x", ["inline:{a=b, c=d}", "hash:x"]),
        ("{a {b, c}} {d}x e", ["{a {b, c}}", "{d}x", "e"]),
        ("{open a", ["{open a"]),
        ("close} a", ["close}", "a"]),
    ],
)
def test_split_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_matching() -> None:
    assert matching("{a{b}c}d") == 6
    assert matching("{a") == -1
    assert matching("x{a}", 1) == 3


def test_unbrace() -> None:
    assert unbrace("{ a b }") == "a b"
    with pytest.raises(BraceError, match=r"no '\{' at start of text in .x."):
        unbrace("x")
    with pytest.raises(BraceError, match=r"missing '\}' in .\{ x."):
        unbrace("{ x")
    with pytest.raises(BraceError, match=r"syntax error after '\}' in .\{x\}y."):
        unbrace("{x}y")


def test_members() -> None:
    assert members("randmap:{a, {b c}}", "{a, {b c}}", "value") == ["a", "{b c}"]
    for name in ("a", "{a", "{a}b", "{a}{b}"):
        with pytest.raises(BraceError, match=r'bad syntax: "randmap:.*"; need "randmap:{value\.\.\.}"'):
            members(f"randmap:{name}", name, "value")
