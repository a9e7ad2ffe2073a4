"""Logical lines and assignments of main.cf."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.main_cf import logical_lines, parse_assignments, parse_override, read_main_cf


def parse(text: str) -> tuple[dict[str, str], list[str]]:
    warnings: list[str] = []
    return parse_assignments(text, "main.cf", warnings.append), warnings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n = x\n", "x"),
        ("n=x", "x"),
        ("n =x\t y  \t\n", "x\t y"),
        ("n = x  \n    y\n\tz\t w  \n", "x      y\tz\t w"),
        ("n = x\n# c\n  y\n\n\n  z # not comment\n #comment\n  w\n", "x  y  z # not comment  w"),
        ("n = x\n   \n y\n", "x y"),
        ("n = x\\\n y\n", "x\\ y"),
        ("n =\n", ""),
        ("n = a = b\n", "a = b"),
        ("n = z\r\n\r\n b\r\n", "z\r b"),
    ],
)
def test_value(text: str, value: str) -> None:
    assert parse(text) == ({"n": value}, [])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("foo bar", "missing '=' after attribute name: \"foo bar\""),
        ("foo", "missing '=' after attribute name: \"foo\""),
        ("= x", 'missing attribute name: "= x"'),
        ("foo bar = x", "missing '=' after attribute name: \"foo bar = x\""),
        ("{ foo = x }", "missing '=' after attribute name: \"{ foo = x }\""),
        ("a b\n   c = d", "missing '=' after attribute name: \"a b   c = d\""),
    ],
)
def test_malformed_line(line: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(f"\n# x\n{line}\nok = 1\n")
    assert str(raised.value) == f"main.cf, line 3: {complaint}"


def test_last_of_two_wins_with_a_warning() -> None:
    assert parse("n = a\n  b\n\nn = c\n d\nn = c d\n") == (
        {"n": "c d"},
        ["main.cf, line 4: overriding earlier entry: n=a  b"],
    )


def test_first_line_may_not_begin_with_blanks() -> None:
    assert parse("  a = 1\n " + "x" * 40 + "\nn = z\n") == (
        {"n": "z"},
        [
            'main.cf: logical line must not start with whitespace: "  a = 1"',
            f'main.cf: logical line must not start with whitespace: " {"x" * 29}..."',
        ],
    )


def test_null_byte_ends_a_line() -> None:
    assert parse("n = z\0q\n") == ({"n": "z"}, ["main.cf, line 1: text after null byte may be ignored"])


def test_line_numbers_are_those_of_the_first_line() -> None:
    assert list(logical_lines("\n#\na\n b\n\nc\n", "f", lambda _: None)) == [(3, "a b"), (6, "c")]


@pytest.mark.parametrize(
    ("argument", "pair"),
    [
        ("a=b", ("a", "b")),
        ("a = b c ", ("a", "b c")),
        ("{ a = b c }", ("a", "b c")),
        ("a=", ("a", "")),
        ("a={x}", ("a", "{x}")),
    ],
)
def test_override(argument: str, pair: tuple[str, str]) -> None:
    assert parse_override(argument) == pair


def test_malformed_override() -> None:
    with pytest.raises(ConfigError, match=r"^invalid parameter override: a: missing '=' after attribute name$"):
        parse_override("a")
    with pytest.raises(ConfigError, match=r"^invalid parameter override: =x: missing attribute name$"):
        parse_override("=x")


def test_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^open {tmp_path}/main.cf: No such file or directory$"):
        read_main_cf(f"{tmp_path}/main.cf", print)
    with pytest.raises(ConfigError, match=f"^read {tmp_path}: Is a directory$"):
        read_main_cf(str(tmp_path), print)


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_bytes(b"n = \xe9\n")
    assert read_main_cf(f"{tmp_path}/main.cf", print) == {"n": "\udce9"}
