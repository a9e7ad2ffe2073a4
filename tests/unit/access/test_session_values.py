from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.session_values import expanded, unwanted_bytes
from pyfix.formats.macros import MacroError

from .fakes import transaction


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$client", "client.example[198.51.100.7]"), ("$client_name", "client.example"), ("$client_port", "1"),
        ("$client_address", "198.51.100.7"), ("$reverse_client_name", "client.example"), ("$helo_name", "h_e"),
        ("$sender $sender_name $sender_domain", "a@b.example a b.example"), ("$server_name", "mail.ours.example"),
        ("$recipient,$recipient_name,$recipient_domain", "<>,<>,"), ("${sender?{y}:{n}}", "y"), ("$mine", "own"),
        ("$nothing", ""), ("$sender_x", ""), ("$$", "$"),
    ],
)  # fmt: skip
def test_values(monkeypatch: Any, text: str, value: str) -> None:
    lines: list[str] = []
    found = transaction(monkeypatch, lines, helo="h\u007fe", sender="a@b.example", recipient="")
    assert expanded(found, text, {"mine": "own"}.get) == value
    unknown = text[1:] if not value else ""
    assert lines == ([f'warning: unknown macro name "{unknown}" in expansion request'] if unknown else [])


def test_none_yet(monkeypatch: Any) -> None:
    assert expanded(transaction(monkeypatch), "[$sender][$recipient_domain][$helo_name]") == "[][][]"
    assert expanded(transaction(monkeypatch, sender="joe"), "$sender_name,$sender_domain") == "joe,"


def test_strictly(monkeypatch: Any) -> None:
    with pytest.raises(MacroError, match=r"^$"):
        expanded(transaction(monkeypatch), "$nothing", strict=True)


def test_what_is_kept() -> None:
    assert unwanted_bytes("abc\\40").sub(b"_", b"a b d") == b"a b _"
    assert unwanted_bytes("").sub(b"_", b"ab\n") == b"___"
