from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tables.parameters import TableParameters
from pyfix.tables.table import Opening, TableError
from pyfix.tables.template import Address, DomainFilter, Template

from .conftest import Parameters


@pytest.mark.parametrize(
    ("text", "user", "domain"), [("a@b", "a", "b"), ("a@b@c", "a@b", "c"), ("a", "a", ""), ("@b", "", "b"), ("a@", "a", "")]
)
def test_addresses(text: str, user: str, domain: str) -> None:
    assert (Address(text).user, Address(text).domain) == (user, domain)


@pytest.mark.parametrize(
    ("text", "key", "made"),
    [
        ("%s", "a@b.c", "a@b.c"), ("%u at %d", "a@b.c", "a at b.c"), ("%U at %D", "a@b.c", "a at b.c"), ("%S", "a", "a"),
        ("%1-%2", "a@b.c", "c-b"), ("%3", "a@b.c", None), ("%1", "a", None), ("%d", "a", None), ("%u", "@b", None), ("%u", "a", "a"),
        ("%d", "a@", None), ("%2", "a@b..c.", "b"), ("100%%", "a", "100%"), ("x", "a", "x"), ("%s", "", None),
    ],
)  # fmt: skip
def test_queries(text: str, key: str, made: str | None) -> None:
    assert Template(text, "file").expand(key) == made


@pytest.mark.parametrize(
    ("text", "value", "key", "made"),
    [
        ("%s<%S>", "v@w", "k@l", "v@w<k@l>"), ("%u%d%U%D", "v@w", "k@l", "vwkl"), ("%1", "v@w.x", "k@l.m", "m"),
        ("%d", "v", "k@l", None), ("%D", "v@w", "k", None),
    ],
)  # fmt: skip
def test_results(text: str, value: str, key: str, made: str | None) -> None:
    assert Template(text, "file", "result").expand(value, key) == made


def test_parts_that_a_key_must_have() -> None:
    assert Template("%s %u", "f").has_parts_of("a")
    assert not Template("%s %D", "f").has_parts_of("a")
    assert not Template("%3", "f").has_parts_of("a@b.c")


@pytest.mark.parametrize("text", ["%x", "%", "%0", "a%%%"])
def test_malformed(text: str) -> None:
    with pytest.raises(TableError, match=r"^db_common_parse: file: Invalid result template: "):
        Template(text, "file", "result")


@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_only_quoted_text_comes_in(text: str, key: str) -> None:
    try:
        template = Template(text, "file")
    except TableError:
        return
    seen: list[str] = []
    made = template.expand(key, quote=lambda part: seen.append(part) or "Q")  # type: ignore[func-returns-value]  # append returns None on purpose
    assert made is None or all(part in key for part in seen)
    if made is not None and not template.varies:
        assert made == text.replace("%%", "%")


def test_domains(tmp_path: Path, parameters: type[Parameters]) -> None:
    (tmp_path / "t.cf").write_text("domain = a.example, .b.example\n")
    opening = Opening(parameters())
    listed = DomainFilter(TableParameters(str(tmp_path / "t.cf"), opening), opening)
    assert listed.accepts_now("x@a.example") and listed.accepts_now("x@A.Example")
    for key in ("a.example", "@a.example", "x", "x@", "x@sub.a.example", "x@c.example"):
        assert not listed.accepts_now(key)
    (tmp_path / "t.cf").write_text("")
    assert DomainFilter(TableParameters(str(tmp_path / "t.cf"), opening), opening).accepts_now("x")
