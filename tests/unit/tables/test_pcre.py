import ctypes

import pytest

from pyfix.formats.patterns import PatternError
from pyfix.tables import pcre
from pyfix.tables.pcre import PcreTable
from pyfix.tables.table import Opening, TableError


def opened(line: str) -> PcreTable:
    return PcreTable(f"{{{{{line}}}}}", Opening())


def test_what_posix_does_not_have() -> None:
    assert opened(r"/^(?=a)\w+(?!x)$/ yes").find_now("abc") == "yes"
    assert opened("/(long|longer)/ $1").find_now("longer") == "long"


def test_flags() -> None:
    assert opened("/a.b/ dot").find_now("a\nb") == "dot"
    assert opened("/a.b/s dot").find_now("a\nb") is None
    assert opened("/^b/m line").find_now("a\nb") == "line"
    assert opened("/a b/x free").find_now("ab") == "free"
    assert opened("/b/A anchored").find_now("ab") is None
    assert opened("/a$/E end").find_now("a\n") is None
    assert opened("/(a+)/U $1").find_now("aaa") == "a"


def test_words_of_the_library() -> None:
    table = PcreTable("{}", Opening())
    with pytest.raises(PatternError, match="error in regex at offset 2: missing closing parenthesis"):
        table.expression("(a", "", groups=False)


def test_an_expression_that_goes_on_too_long(notices: list[str]) -> None:
    table = PcreTable(r"{{/^(a+)+\1$/ x}, {!/^(a+)+$/ y}, {if /^(a+)+$/}, {/./ z}, {endif}, {/b/ b}}", Opening())
    assert table.find_now("a" * 40 + "b") == "b"
    assert all(text.endswith(": match limit exceeded") for text in notices)
    assert len(notices) == 3


def test_long_keys() -> None:
    assert opened("/^(a|b)*$/ $1").find_now("a" * 100_000 + "b") == "b"


def test_a_machine_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(pcre, "_loaded", [])
    monkeypatch.setattr(ctypes, "CDLL", missing)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(TableError, match="unsupported dictionary type: pcre"):
        opened("/a/ b")


@pytest.mark.parametrize(
    "odd", [r"(a)\1", "(?<n>a)(?P=n)", "(?i)x", r"\Qa|b\E", "(*COMMIT)a", "a(?#note)", "(?1)(a)", r"a\Kb"]
)
def test_expressions_of_which_nothing_is_known(odd: str) -> None:
    table = PcreTable("{}", Opening())
    assert table.needs(odd.encode(), "") == [] and table.needs(b"a b", "x") == []
    assert table.needs(b"ab", "i") == [{b"ab"}]


def test_the_flag_that_is_obsolete(notices: list[str]) -> None:
    assert opened("/a/X b").find_now("A") == "b"
    assert notices[0].endswith('line 1: ignoring obsolete regexp option "X"')
