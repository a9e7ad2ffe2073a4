from __future__ import annotations

import pytest

from pyfix.notices.transcript import transcript, wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("In:  short ", [" In:  short"]),
        ("a " * 60, [" " + "a " * 38 + "a", "     " + "a " * 20 + "a"]),
        ("x" * 100, [" " + "x" * 100]),
        ("x" * 100 + " y", [" " + "x" * 100, "     y"]),
        ("a\x01b", [" a?b"]),
    ],
)
def test_lines(text: str, lines: list[str]) -> None:
    assert list(wrapped(text)) == lines


def test_text() -> None:
    assert list(transcript(["In:  a", "Out: 250-b\n250 c"])) == [
        "Transcript of session follows.", "", " In:  a", " Out: 250-b", " Out: 250 c", "",
    ]  # fmt: skip
