from __future__ import annotations

import pytest

from pyfix.tls.ciphers import BadCiphers, cipher_list, grade_of

LISTS = {"high": "HIGH", "medium": "MEDIUM", "null": "eNULL"}


@pytest.mark.parametrize(
    ("grade", "exclusions", "ciphers"),
    [
        ("high", [], "HIGH"),
        ("export", [], "MEDIUM"),
        ("Low", [""], "MEDIUM"),
        ("null", ["aNULL"], "eNULL:!aNULL"),
        ("medium", ["RC4, 3DES:MD5 kRSA+AES", "x"], "MEDIUM:!RC4:!3DES:!MD5:!kRSA+AES:!x"),
    ],
)
def test_lists(grade: str, exclusions: list[str], ciphers: str) -> None:
    assert cipher_list(grade, LISTS, exclusions) == ciphers


def test_bad_ones() -> None:
    with pytest.raises(BadCiphers, match='invalid cipher grade: "x"'):
        grade_of("x")
    for sign in "!+-@":
        with pytest.raises(BadCiphers, match=f"invalid unary '!\\+-@' in cipher exclusion: \\{sign}RC4"):
            cipher_list("high", LISTS, [f"{sign}RC4"])
