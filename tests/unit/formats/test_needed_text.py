from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.needed_text import needed_text


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        (rb"^foo[0-9]+@example\.(com|org)$", [{b"foo"}, {b"@example."}, {b"com", b"org"}]),
        (rb"FooBar", [{b"foobar"}]),
        (rb"a|b", [{b"a", b"b"}]),
        (rb"a|b*", []),
        (rb"(abc|de*f)+x", [{b"d", b"abc"}, {b"x"}]),
        (rb"ab?c*d", [{b"a"}, {b"d"}]),
        (rb"ab+c", [{b"ab"}, {b"c"}]),
        (rb"ab{0}cd{2,}e", [{b"a"}, {b"cd"}, {b"e"}]),
        (rb"(foo)?bar(x|)", [{b"bar"}]),
        (rb"[]x]a[^]x]b[[:alpha:]]c", [{b"a"}, {b"b"}, {b"c"}]),
        (rb"a\.b", [{b"a.b"}]),
        (b"\xc3\xa9\xff", [{b"\xc3\xa9\xff"}]),
        (rb"a{x", []),
        (rb"a{,2}b", []),
        (rb"*a", []),
        (rb"a)b", []),
        (rb"(a", []),
        (rb"[a", []),
        (b"a\\", []),
        (rb"", []),
        (rb"(" * 60 + rb"a" + rb")" * 60, []),
    ],
)
@pytest.mark.parametrize("perl", [False, True])
def test_both_kinds(pattern: bytes, needs: list[set[bytes]], perl: bool) -> None:
    assert needed_text(pattern, perl=perl) == needs


@pytest.mark.parametrize(
    ("pattern", "posix", "perl"),
    [
        (rb"[\]a", [{b"a"}], []),
        (rb"[\]]a", [{b"]a"}], [{b"a"}]),
        (rb"\da", [], [{b"a"}]),
        (rb"\<a", [], [{b"<a"}]),
        (rb"(?:a)b", [], [{b"a"}, {b"b"}]),
        (rb"(?=x)a(?!y)b", [], [{b"a"}, {b"b"}]),
        (rb"(?i)a", [], []),
        (rb"(a)\1", [], []),
        (rb"\Qa\Eb", [], []),
        (rb"[[.a.]]b", [], []),
        (rb"(*COMMIT)a", [], []),
        (rb"\N{U+41}a", [], []),
    ],
)
def test_what_differs(pattern: bytes, posix: list[set[bytes]], perl: list[set[bytes]]) -> None:
    assert needed_text(pattern, perl=False) == posix
    assert needed_text(pattern, perl=True) == perl


_PART = st.sampled_from([r"a", r"b", r"ab", r".", r"[ab]", r"\.", r"^", r"$", r"(a|b)", r"(ab|c*)", r"(?:b.)", r"\w", r"(?!c)", r"\\"])
_TIMES = st.sampled_from(["", "", "", "*", "+", "?", "{0}", "{2}", "{1,2}", "+?", "*?"])


@given(st.lists(st.tuples(_PART, _TIMES), max_size=6), st.text("abcAB.\\", max_size=8))
def test_whatever_matches_has_what_is_needed(parts: list[tuple[str, str]], text: str) -> None:
    pattern = "".join(part + ("" if part in "^$" else times) for part, times in parts)
    if re.search(pattern, text, re.IGNORECASE):
        for need in needed_text(pattern.encode(), perl=True):
            assert any(piece in text.lower().encode() for piece in need)
