"""No text in main.cf or master.cf makes anything but the documented errors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyfix.config.errors import ConfigError
from pyfix.config.main_cf import parse_assignments, parse_override
from pyfix.config.master_cf import overrides, parse_entry, split_fields
from pyfix.config.parameter import parse_duration, parse_integer, split_words
from pyfix.config.snapshot import Snapshot
from pyfix.formats.macros import MacroError, expand, referenced_names

MACRO_TEXT = st.text(alphabet="${}()?:=!<> ab1_-{$}", max_size=40)
LINES = st.text(alphabet="ab=# \t\n\r\0{}$é", max_size=80)


@given(MACRO_TEXT)
def test_macros(text: str) -> None:
    try:
        expanded = expand(text, {"a": "1", "b": "", "ab": "x"}.get)  # type: ignore[arg-type]  # the default is falsy
        names = list(referenced_names(text))
    except MacroError as error:
        assert str(error)
    else:
        assert isinstance(expanded, str) and all(isinstance(name, str) for name in names)
        if "$" not in text:
            assert expanded == text


@given(st.dictionaries(st.sampled_from("abc"), MACRO_TEXT))
def test_recursive_values(settings: dict[str, str]) -> None:
    for name in settings:
        try:
            Snapshot(settings).value(name)
        except ConfigError as error:
            assert error.warnings or "bad conversion" in str(error)


@given(LINES)
def test_main_cf(text: str) -> None:
    try:
        settings = parse_assignments(text, "f", lambda _: None)
    except ConfigError as error:
        assert str(error).startswith("f, line ")
    else:
        for name, value in settings.items():
            assert name == name.strip() and "=" not in name and value == value.strip()


@given(st.text(alphabet="ab -oyn?0{}=", max_size=60))
def test_master_cf(text: str) -> None:
    assert "".join(split_fields(text)).replace(" ", "") == text.replace(" ", "")
    try:
        overrides(parse_entry(f"foo unix - - - - - {text}", "f: line 1").arguments)
    except ConfigError as error:
        assert str(error).startswith(("f: line 1: ", "invalid parameter override"))


@given(st.text(alphabet="0123456789smhdw+- ", max_size=12))
def test_numbers(text: str) -> None:
    for parse in (lambda: parse_integer("n", text), lambda: parse_duration("n", text, "s")):
        try:
            assert isinstance(parse(), int)
        except ConfigError as error:
            assert str(error).endswith(text)


@given(st.text(alphabet="ab, \t{}", max_size=40))
def test_words(text: str) -> None:
    found = split_words(text)
    assert all(word and word[0] not in ", \t" for word in found)


@given(st.text(alphabet="ab={} ", max_size=20))
def test_overrides(text: str) -> None:
    try:
        name, value = parse_override(text)
    except ConfigError as error:
        assert str(error).startswith("invalid parameter override: ")
    else:
        assert name and value == value.strip()
