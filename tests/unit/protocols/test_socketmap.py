from __future__ import annotations

from pyfix.protocols.socketmap import parse_reply, question


def test_a_question() -> None:
    assert question(b"virtual", b"a b") == b"11:virtual a b,"


def test_replies() -> None:
    assert parse_reply(b"OK a b") == (b"OK", b"a b")
    assert parse_reply(b"NOTFOUND") == (b"NOTFOUND", b"")
    assert parse_reply(b"") == (b"", b"")
