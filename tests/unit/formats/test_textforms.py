from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats import textforms


def test_printable() -> None:
    assert textforms.printable("plain text") == "plain text"
    assert textforms.printable("a\tb\x7f\x00") == "a?b??"
    assert textforms.printable("\u00e9\udce9") == "\u00e9?"
    assert textforms.printable("\u00e9\udce9", utf8=False) == "???"
    assert textforms.printable("a\nb", "_") == "a_b"


def test_neuter() -> None:
    assert textforms.neuter("<a@b>", "<>") == "?a@b?"
    assert textforms.neuter("ab", "<>") == "ab"


def test_escape() -> None:
    assert textforms.escape(b"EHLO x\r\n") == "EHLO x\\r\\n"
    assert textforms.escape(b"a\\\x01\xe9\t") == "a\\\\\\001\\351\\t"
    assert textforms.escape(b"plain") == "plain"


@pytest.mark.parametrize(
    "plain, encoded", [("a+b=c", "a+2Bb+3Dc"), ("a b", "a+20b"), ("\u00e9", "+C3+A9"), ("plain@x", "plain@x"), ("", "")]
)
def test_xtext(plain: str, encoded: str) -> None:
    assert textforms.xtext_encode(plain) == encoded
    assert textforms.xtext_decode(encoded) == plain


def test_xtext_with_more_to_encode() -> None:
    assert textforms.xtext_encode("a;b", also=";") == "a+3Bb"


@pytest.mark.parametrize("text", ["a+", "+2", "+GG", "a+2"])
def test_bad_xtext(text: str) -> None:
    with pytest.raises(textforms.XtextError):
        textforms.xtext_decode(text)


@given(st.text(st.characters(codec="utf-8")))
def test_xtext_there_and_back(text: str) -> None:
    encoded = textforms.xtext_encode(text)
    assert encoded.isascii() and " " not in encoded
    assert textforms.xtext_decode(encoded) == text
