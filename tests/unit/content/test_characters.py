"""Characters that are removed or refused."""

from __future__ import annotations

import pytest

from pyfix.content.characters import Characters


@pytest.mark.parametrize(
    ("strip", "given", "left"),
    [
        (r"\0", b"a\0b\0", b"ab"),
        (r"\a\10", b"a\x07b\x08c", b"abc"),
        (r"\200", b"\x80\x81", b"\x81"),
        (r"\\", b"a\\b", b"ab"),
        ("", b"a\0", b"a\0"),
    ],
)
def test_strip(strip: str, given: bytes, left: bytes) -> None:
    assert Characters(strip, "").stripped(given) == left


@pytest.mark.parametrize(
    ("reject", "given", "refused"),
    [
        (r"\0", b"a\0", True),
        (r"\0", b"a", False),
        (r"\7\200", b"\x80", True),
        ("]^-", b"a^b", True),
        ("]^-", b"abc", False),
        ("", b"\0", False),
    ],
)
def test_reject(reject: str, given: bytes, refused: bool) -> None:
    assert Characters("", reject).refuses(given) is refused


def test_nothing_to_look_for() -> None:
    assert not Characters("", "")
    assert Characters("a", "")
    assert Characters("", "a")
