from __future__ import annotations

import pytest

from pyfix.commands.postconf.layout import Layout, fold, json_pair


def test_setting() -> None:
    assert Layout().setting("a", " x \t y\n") == "a = x y\n"
    assert Layout().setting("a", "") == "a =\n"
    assert Layout(name=False).setting("a", "") == "\n"
    assert Layout(value=False).setting("a", "x") == "a\n"
    assert Layout(json=True).setting("a", "x  y") == '{"a": "x  y"}\n'


@pytest.mark.parametrize(("length", "lines"), [(67, 1), (68, 2)])
def test_a_line_takes_80_characters(length: int, lines: int) -> None:
    text = Layout(folded=True).setting("a" * 10, "x" * length)
    assert text.count("\n") == lines
    assert Layout(folded=True).setting("a", f"{'x' * 76} b") == f"a = {'x' * 76}\n    b\n"


def test_a_long_word_has_its_own_line() -> None:
    assert fold(["a", "=", "x" * 100, "y"]) == f"a =\n    {'x' * 100}\n    y\n"


def test_json_escapes() -> None:
    assert json_pair('a"', "\\ \t\n\x01\x7f é /") == '{"a\\"": "\\\\ \\t\\n\\u0001\\u007F é /"}\n'
