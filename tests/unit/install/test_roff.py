from __future__ import annotations

import pytest

from pyfix.install.roff import escape, prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (".request", "\\&.request"),
        ("'request", "\\&\\(aqrequest"),
        ("a-b\\n", "a\\-b\\en"),
        ('"~^`', "\\&\\(dq\\(ti\\(ha\\(ga"),
        ("of a_name", "of \\%a_name"),
    ],
)
def test_nothing_is_taken_for_a_request(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_long_words_can_be_broken_but_not_inside_an_escape() -> None:
    pieces = escape("x" * 29 + "-" * 30).split("\\:")
    assert pieces == ["x" * 29 + "\\-", "\\-" * 29]


def test_references_stand_on_lines_of_their_own() -> None:
    assert prose("Read by (see smtpd(8)) and qmgr(8), and so on.") == [
        "Read by (see",
        ".Xr smtpd 8 )",
        "and",
        ".Xr qmgr 8 ,",
        "and so on.",
    ]


def test_code_loses_its_marks() -> None:
    assert prose("Say ``a b`` here.") == ["Say a b here."]
