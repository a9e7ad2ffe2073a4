"""Names of people in From: headers.  The expectations are what the reference made of the same names."""

from __future__ import annotations

import pytest

from pyfix.formats.fullname import clean_name, comment_words, phrase_words


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        (b"  a  b ", b"a b"),
        (b"a\tb", b"a b"),
        (b"a\x01b", b"a b"),
        (b"x\x7f", b"x"),
        (b"", b""),
        (b"\xe9 x", b"\xe9 x"),
    ],
)
def test_blanks_and_controls(given: bytes, clean: bytes) -> None:
    assert clean_name(given) == clean


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Full Name", ["Full Name"]),
        ("a'b/c x=y", ["a'b/c x=y"]),
        ("a.b", ['"a.b"']),
        ("a b.", ['"a b."']),
        ('Mr. "X"', ['"Mr. \\"X\\""']),
        ("x\\y", ['"x\\\\y"']),
        ("\u00e9", ["=?utf-8?Q?=C3=A9?="]),
        ("\u00e4-\u00f6.\u00fc", ["=?utf-8?Q?=C3=A4-=C3=B6=2E=C3=BC?="]),
        ("\u00e9" * 10, ["=?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6k=?="]),
        (
            "\u00e9" * 30,
            [
                "=?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nD?=",
                "=?utf-8?B?qcOpw6nDqcOpw6nDqcOp?=",
            ],
        ),
        (
            "aaaaaaaaa " * 6 + "\u00e9",
            ["=?utf-8?Q?aaaaaaaaa_aaaaaaaaa_aaaaaaaaa_aaaaaaaaa_aaaaaaaaa_aaaaaaaaa_=C3?=", "=?utf-8?Q?=A9?="],
        ),
    ],
)
def test_phrases(name: str, words: list[str]) -> None:
    assert phrase_words(name.encode(), "utf-8") == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a b", ["(a b)"]),
        ("a(b", ["(a(b))"]),
        ("a)b", ["(ab)"]),
        ("a)(b", ["(a(b))"]),
        ("a\\", ["(a)"]),
        ("a\\(b", ["(a\\(b)"]),
        ("\u00e9 (b)", ["(=?utf-8?Q?=C3=A9_=28b=29?=)"]),
        ("\u00e9!\"#$%&'*+,-./:;", ["(=?utf-8?Q?=C3=A9!\"#$%&'*+,-./:;?=)"]),
        ("\u00e9<=>?@[\\]^_`", ["(=?utf-8?Q?=C3=A9<=3D>=3F@[=5C]^=5F`?=)"]),
    ],
)
def test_comments(name: str, words: list[str]) -> None:
    assert comment_words(name.encode(), "utf-8") == words


def test_no_encoded_word_is_too_long() -> None:
    for length in range(1, 120):
        for name in ("\u00e9" * length, "x" * length + "\u00e9", "(\u00e9 " * length):
            assert all(len(word) <= 75 for word in phrase_words(name.encode(), "utf-8"))
