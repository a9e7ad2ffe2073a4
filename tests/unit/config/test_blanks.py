"""Words between blanks."""

from __future__ import annotations

import pytest

from pyfix.config.blanks import SEPARATORS, split_blanks


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" ", []),
        ("a b", ["a", "b"]),
        (f"{SEPARATORS}a{SEPARATORS}b{SEPARATORS}", ["a", "b"]),
        ("a\u00a0b", ["a\u00a0b"]),
        ("a\vb\fc d", ["a\vb\fc", "d"]),
        ("a\u2003b \x85", ["a\u2003b", "\x85"]),
        ("a\x1cb\x1f c", ["a\x1cb\x1f", "c"]),
        ("\udce9 b", ["\udce9", "b"]),
    ],
)
def test_few_blanks_part_words(text: str, words: list[str]) -> None:
    assert split_blanks(text) == words
