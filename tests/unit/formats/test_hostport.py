from __future__ import annotations

import pytest

from pyfix.formats.hostport import split_host_port


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("host:25", ("host", "25")),
        ("[::1]:smtp", ("::1", "smtp")),
        ("::1:25", ("::1", "25")),
        ("25", ("", "25")),
        (":25", ("", "25")),
        ("[]:25", ("", "25")),
    ],
)
def test_places(text: str, parts: tuple[str, str]) -> None:
    assert split_host_port(text) == parts


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[::1", 'missing "]"'),
        ("[::1]25", 'garbage after "]"'),
        ("[::1]", "missing service information"),
        ("host:", "missing service information"),
        ("", "missing service information"),
        ("host:25x", "garbage after numerical service"),
    ],
)
def test_what_is_none(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match="^" + problem.replace("]", "\\]")):
        split_host_port(text)
