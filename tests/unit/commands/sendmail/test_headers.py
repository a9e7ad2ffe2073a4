"""The header from which sendmail -t takes recipients."""

from __future__ import annotations

from pyfix.commands.sendmail.headers import Header


def _header(*lines: bytes) -> Header:
    header = Header()
    assert all(header.take(line) for line in lines)
    return header


def test_its_end() -> None:
    header = _header(b"To: a", b" b", b"X : y")
    for line in (b"", b"no header", b": x"):
        assert not header.take(line)
    assert header.lines == [b"To: a", b" b", b"X: y"]
    assert not Header().take(b" To: a"), "nothing is continued"


def test_recipients() -> None:
    assert _header(b"To: a", b"CC: b", b"\tc", b"From: d", b"Apparently-To: e").recipients() == [" a", " b\n\tc"]
    assert _header(b"To: a", b"Resent-From: d").recipients() == [" a"]
    assert _header(b"To: a", b"Resent-Bcc: d").recipients() == [" d"]


def test_null_bytes() -> None:
    header = _header(b"To: a\0b", b" c", b"X: y")
    assert header.lines == [b"To: a", b"X: y"]
    assert header.recipients() == [" a"]
