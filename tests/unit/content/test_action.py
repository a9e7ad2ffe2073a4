"""Actions of header and body checks."""

from __future__ import annotations

import pytest

from pyfix.content.action import Action, BadAction, parse_action


@pytest.mark.parametrize(
    ("value", "action"),
    [
        ("REJECT", Action("REJECT", "5.7.1 message content rejected")),
        ("reject no spam", Action("REJECT", "5.7.1 no spam")),
        ("REJECT 4.7.1 later", Action("REJECT", "4.7.1 later")),
        ("WARN", Action("WARN", "")),
        ("HOLD   because of  this", Action("HOLD", "because of  this")),
        ("OK", Action("DUNNO", "")),
        ("DUNNO x", Action("DUNNO", "x")),
        ("IGNORE", Action("IGNORE", "")),
        ("FILTER smtp:", Action("FILTER", "smtp:")),
        ("PREPEND X-A: b", Action("PREPEND", "X-A: b")),
        ("REDIRECT a@b.example", Action("REDIRECT", "a@b.example")),
    ],
)
def test_actions(value: str, action: Action) -> None:
    assert parse_action(value, "header_checks") == action


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("FOO bar", "unknown command in header_checks map: FOO bar"),
        ("FILTER", "missing FILTER command argument in header_checks map"),
        ("FILTER foo", "bad FILTER command foo in header_checks -- need transport:destination"),
        ("PREPEND", "PREPEND action without text in header_checks map"),
        ("REPLACE x y", 'bad REPLACE header text "x y" in header_checks map -- need "headername: headervalue"'),
        ("REDIRECT foo", 'bad REDIRECT target "foo" in header_checks map -- need user@domain'),
        ("BCC foo", 'bad BCC address "foo" in header_checks map -- need user@domain'),
    ],
)
def test_bad_actions(value: str, complaint: str) -> None:
    with pytest.raises(BadAction) as fault:
        parse_action(value, "header_checks")
    assert str(fault.value) == complaint


def test_a_body_line_may_be_any_text() -> None:
    assert parse_action("REPLACE any text", "body_checks") == Action("REPLACE", "any text")
