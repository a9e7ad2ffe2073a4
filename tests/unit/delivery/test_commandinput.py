from __future__ import annotations

from typing import Any

import pytest

from pyfix.delivery.commandinput import CommandInput

CONTENT = [b"Subject: x\n\nFrom me\n.dot\nFro", b"m you\n\nFrom him\n.", b".\nend"]


class _Delivery:
    def __init__(self, blocks: list[bytes]) -> None:
        self.message: Any = type("Message", (), {"content_blocks": lambda _self, _offset: iter(blocks)})()
        self.request: Any = type("Request", (), {"offset": 0})


def written(blocks: list[bytes], **rules: Any) -> bytes:
    delivery: Any = _Delivery(blocks)
    sender = rules.pop("sender", "s@x.example")
    return b"".join(CommandInput(**rules).blocks(delivery, sender, "o@x.example", "r@x.example"))


def test_unchanged_but_for_the_last_line() -> None:
    assert written(CONTENT) == b"".join(CONTENT) + b"\n"
    assert written([b"x\n"]) == b"x\n"
    assert written([]) == b""


def test_added_lines() -> None:
    rules = {"return_path": True, "original_to": True, "delivered_to": True}
    expected = b"Return-Path: <s@x.example>\nX-Original-To: o@x.example\nDelivered-To: r@x.example\nx\n"
    assert written([b"x\n"], **rules) == expected
    assert written([], delivered_to=True) == b"Delivered-To: r@x.example\n"
    assert written([b"x\n"], blank_end=True) == b"x\n\n"


@pytest.mark.parametrize(("sender", "shown"), [("s@x.example", b"s@x.example"), ("", b"MAILER-DAEMON"), ("a b@c", b'"a b"@c')])
def test_from_line(sender: str, shown: bytes) -> None:
    line = written([b"x\n"], from_line=True, sender=sender).split(b"\n")[0]
    assert line.startswith(b"From " + shown + b"  ")


def test_quoting() -> None:
    assert written(CONTENT, quotes_from=True) == b"Subject: x\n\n>From me\n.dot\nFrom you\n\n>From him\n..\nend\n"
    assert written(CONTENT, doubles_dots=True) == b"Subject: x\n\nFrom me\n..dot\nFrom you\n\nFrom him\n...\nend\n"


def test_end_of_line() -> None:
    assert written([b"a\nb", b"c\n"], end_of_line=b"\r\n", blank_end=True) == b"a\r\nbc\r\n\r\n"
