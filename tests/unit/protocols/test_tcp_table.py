from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.tcp_table import ReplyError, parse_reply, question


def test_a_question() -> None:
    assert question(b"user@example.com") == b"get user@example.com\n"
    assert question("a b%\té\x7f".encode()) == b"get a%20b%25%09%C3%A9%7F\n"


@given(st.binary())
def test_no_key_makes_a_second_line_or_word(key: bytes) -> None:
    line = question(key)
    assert line.count(b"\n") == 1 and line.count(b" ") == 1


def test_replies() -> None:
    assert parse_reply(b"200 b%20c%c3%A9") == (200, "b cé".encode())
    assert parse_reply(b"500 ") == (500, b"")
    assert parse_reply(b"400\tlater on") == (400, b"later on")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"", "malformed"), (b"200", "malformed"), (b"200x", "malformed"), (b"hello", "malformed"), (b"200 a%zz", "malformed"),
        (b"200 a%4", "malformed"), (b"2000 x", "malformed"), (b"300 x", "bad status code"),
    ],
)  # fmt: skip
def test_bad_replies(line: bytes, complaint: str) -> None:
    with pytest.raises(ReplyError, match=complaint):
        parse_reply(line)
