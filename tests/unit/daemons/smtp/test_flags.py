"""What the reference does in the same cases is in tests/parity/smtp/test_flags.py."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pyfix.config.errors import ConfigError
from pyfix.daemons.smtp.flags import read_flags


def test_headers_of_flags() -> None:
    request = SimpleNamespace(sender="x y@z.example")
    recipient = SimpleNamespace(original_recipient="old@x.example", recipient="new@x.example")
    expected = {
        "flags=R": b'Return-Path: <"x y"@z.example>\n',
        "FLAGS=OD": b"X-Original-To: old@x.example\nDelivered-To: new@x.example\n",
        "flags=X": b"",
    }
    for word, lines in expected.items():
        flags = read_flags([word], "smtp")
        assert flags is not None
        assert flags.headers(request, recipient) == lines  # type: ignore[arg-type]  # what of them is in headers
        assert flags.is_final is (word == "flags=X")


def test_no_flags() -> None:
    assert read_flags([], "smtp") is None
    assert read_flags(["flags="], "smtp") is None


@pytest.mark.parametrize(
    ("word", "complaint"),
    [("flags=DZ", 'unknown flags=DZ value "Z" in "DZ"'), ("flags", "unknown attribute name: flags"), ("x=D", "unknown attribute name: x=D")],
)
def test_what_is_no_flag(word: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_flags([word], "smtp")
    assert str(caught.value) == complaint
