from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.tokens import (
    ATOM,
    COMMENT,
    LITERAL,
    OPERATOR,
    QUOTED,
    external_text,
    internal_text,
    quoted_text,
    scan,
    word_text,
)  # fmt: skip


def test_kinds() -> None:
    assert scan('a "b c"@[1.2] (d(e)) %') == [
        (ATOM, "a"), (QUOTED, "b c"), (OPERATOR, "@"), (LITERAL, "[1.2]"), (COMMENT, "(d(e))"), (OPERATOR, "%"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("(open", [(COMMENT, "(open")]),
        ("(a\\)b)", [(COMMENT, "(a\\)b)")]),
        ("(a\n\tb)", [(COMMENT, "(a\n\tb)")]),
        ('"open', [(QUOTED, "open")]),
        ('"open\\', [(QUOTED, "open")]),
        ('"a\n\tb"', [(QUOTED, "a  b")]),
        ("[open", [(LITERAL, "[open]")]),
        ("[a\\]b]", [(LITERAL, "[a]b]")]),
        ("a\\", [(ATOM, "a")]),
        ("\\", [(ATOM, "")]),
        ("a\\ b", [(QUOTED, "a b")]),
        ("a\x0bb", [(ATOM, "a\x0bb")]),
        (" \t\r\n", []),
        ("", []),
    ],
)
def test_odd_text(text: str, tokens: list[tuple[int, str]]) -> None:
    assert scan(text) == tokens


def test_limit() -> None:
    assert scan("a b c d", 2) == [(ATOM, "a"), (ATOM, "b")]


@pytest.mark.parametrize(
    "text, quoted",
    [  # answers of trivial-rewrite for the rule "remote"
        ("a b@c", '"a b"@c'),
        ("(x)a@b", '"(x) a"@b'),
        ("<a@b>", '"<a"@b>'),
        ("a,b@c", '"a, b"@c'),
        ("a<<b@c", '"a < <b"@c'),
        ("a,<b@c", '"a, <b"@c'),
        ("a@b,c", "a@b, c"),
        ("a[x]b@c", '"a [x] b"@c'),
        ('"x""y"@c', '"x y"@c'),
        ("a@b (c)", "a@b (c)"),
        ("a;(x)b@c", '"a;(x) b"@c'),
        (",", '","'),
        ('a@"b\\"c"', 'a@b"c'),
        ("a|b@c", "a|b@c"),
    ],
)
def test_single_address(text: str, quoted: str) -> None:
    assert quoted_text(scan(text)) == quoted


def test_internal_form() -> None:
    assert internal_text(scan("a(b@c")) == "a (b@c"
    assert internal_text(scan('"a b".c@d')) == "a b.c@d"


def test_words_of_an_address_list_stand_close() -> None:
    assert external_text(scan('a "b c" d')) == 'a"b c"d'
    assert external_text(scan("@r,@s:u@d")) == "@r, @s:u@d"
    assert external_text(scan("a\\@b@c")) == '"a@b"@c'
    assert word_text((ATOM, "a%b")) == '"a%b"'
    assert word_text((ATOM, "ab")) == "ab"


@given(st.text(alphabet='ab.@"\\ ()<>\u00e9\x01,%![]:;|\t\n', max_size=30))
def test_any_text_is_scanned(text: str) -> None:
    """No character that is not a blank, a quote or a backslash is lost."""
    kept = [character for character in text if character not in ' \t\n"\\']
    written = internal_text(scan(text))
    remaining = iter(written)
    assert all(character in remaining for character in kept)
