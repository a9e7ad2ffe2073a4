from __future__ import annotations

import pytest

from pyfix.daemons.smtp.destination import BadDestination, parse_destination


def test_forms() -> None:
    assert parse_destination("x.example", "smtp")[1:] == ("x.example", 25, "smtp", False)
    assert parse_destination("[mx.x.example]:587", "smtp")[1:] == ("mx.x.example", 587, "587", True)
    assert parse_destination("[::1]", "24")[1:] == ("::1", 24, "24", True)


@pytest.mark.parametrize("text", ["[x", "[x]y", ":25", "x:0", "x:99999", "x:nosuchservice"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(BadDestination):
        parse_destination(text, "smtp")
