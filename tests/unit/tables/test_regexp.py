import gc
import locale

import pytest

from pyfix.formats.patterns import PatternError
from pyfix.tables.regexp import RegexpTable
from pyfix.tables.table import Opening


def opened(line: str) -> RegexpTable:
    return RegexpTable(f"{{{{{line}}}}}", Opening())


def test_the_longest_match_and_not_the_first() -> None:
    assert opened("/(long|longer)/ $1").find_now("longer") == "longer"


def test_flags() -> None:
    assert opened("/a+b/x basic").find_now("a+b") == "basic"
    assert opened("/a+b/ extended").find_now("aab") == "extended"
    assert opened("/^b/m line").find_now("a\nb") == "line"
    assert opened("/^b/ text").find_now("a\nb") is None
    assert opened("/[[:digit:]]{2}/ class").find_now("a12") == "class"


def test_words_of_the_c_library() -> None:
    table = RegexpTable("{}", Opening())
    with pytest.raises(PatternError, match=r"Unmatched \( or"):
        table.expression("(a", "", groups=False)


def test_the_locale_of_the_process_does_not_matter() -> None:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
        assert opened("/^..$/ bytes").find_now("é") == "bytes"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def test_many_expressions_come_and_go() -> None:
    for number in range(200):
        assert opened(f"/(x{number})/ $1").find_now(f"x{number}") == f"x{number}"
    gc.collect()


def test_a_second_expression() -> None:
    table = opened("/^a(.)/!/b/ $1")
    assert table.find_now("ac") == "c" and table.find_now("acb") is None
    assert opened("!/a/!/b/ x").find_now("c") == "x" and opened("!/a/!/b/ x").find_now("a") is None
    assert opened("/a/!!/b/ x").find_now("ab") == "x" and opened("/a/!!/b/ x").find_now("a") is None


def test_what_is_known_of_expressions() -> None:
    table = opened("/a/ b")
    assert table.needs(b"ab", "") == [{b"ab"}] and table.needs(b"ab", "x") == []
