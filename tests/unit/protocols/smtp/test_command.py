from __future__ import annotations

import pytest

from pyfix.protocols.smtp.command import BadSyntax, command_text, is_header_name, split_words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("NOOP", ["NOOP"]),
        ("  MAIL  FROM:<a@b>  SIZE=1 ", ["MAIL", "FROM:", "<a@b>", "SIZE=1"]),
        ("mail from: a@b", ["mail", "from:", "a@b"]),
        ("RCPT TO:<a b@c> X", ["RCPT", "TO:", "<a b@c>", "X"]),
        ('RCPT TO:<"a > b"@c> X', ["RCPT", "TO:", '<"a > b"@c>', "X"]),
        ("RCPT TO:<a <b> c> X", ["RCPT", "TO:", "<a <b> c>", "X"]),
        ('HELO "a b" c\\ d', ["HELO", '"a b"', "c\\ d"]),
        ("MAIL FROM:FROM:x", ["MAIL", "FROM:", "FROM:", "x"]),
        ("HELO a:b", ["HELO", "a:b"]),
        ("MAIL FROM:", ["MAIL", "FROM:"]),
        ("", []),
        (" \t ", []),
        ("A\u00a0B", ["A\u00a0B"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert [word.text for word in split_words(line)] == words


def test_marks() -> None:
    assert [word.bracketed for word in split_words("MAIL FROM:<a@b> x")] == [False, False, True, False]
    assert [word.unbalanced for word in split_words("MAIL FROM:<a@b x")] == [False, False, True]
    assert [word.unbalanced for word in split_words('VRFY "a')] == [False, True]
    assert not any(word.unbalanced for word in split_words("VRFY a\\"))


def test_text() -> None:
    assert command_text("NOOP \u00e9".encode(), utf8=True) == "NOOP \u00e9"
    assert command_text(b"NOOP\0x", utf8=True) == "NOOP"
    assert command_text(b"\xff", utf8=False) == "\udcff"
    with pytest.raises(BadSyntax, match="bad UTF-8 syntax"):
        command_text(b"\xff", utf8=True)


@pytest.mark.parametrize(("word", "header"), [("Subject:", True), ("x-y:z", True), (":x", False), ("NOOP", False), ("\u00e9:", False)])
def test_header_names(word: str, header: bool) -> None:
    assert is_header_name(word) is header
