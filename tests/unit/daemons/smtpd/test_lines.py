"""How long lines may be and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from .fakes import converse

LIMIT = {"line_length_limit": "512"}


def test_lines_in_pieces(monkeypatch: Any) -> None:
    found = converse(monkeypatch, b"NO", b"OP\r", b"\n", "EHLO x", b"RSET\r\nQU", b"IT\r\n")
    assert found.replies[1] == "250 2.0.0 Ok" and found.replies[-2:] == ["250 2.0.0 Ok", "221 2.0.0 Bye"]


@pytest.mark.parametrize("pieces", [[b"NOOP " + b"x" * 600 + b"\r\n"], [b"NOOP " + b"x" * 500, b"x" * 100 + b"\r\n"]])
def test_the_rest_of_a_long_line_is_skipped(monkeypatch: Any, pieces: list[bytes]) -> None:
    found = converse(monkeypatch, *pieces, "QUIT", main=LIMIT)
    assert found.replies[1:] == ["250 2.0.0 Ok", "221 2.0.0 Bye"]
    assert found.lines[1] == f"warning: client.example[198.51.100.7]: request longer than 512: NOOP {'x' * 25}..."


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_line_of_twice_the_length_is_the_last(monkeypatch: Any, end: bytes) -> None:
    found = converse(monkeypatch, b"NOOP " + b"x" * 1100 + end, "QUIT", main=LIMIT)
    assert found.replies[1:] == ["250 2.0.0 Ok"]
    assert "warning: disabling input from smtp socket" in found.lines
    assert found.lines[-2] == "NOQUEUE: lost connection after NOOP from client.example[198.51.100.7]"


def test_bare_newlines(monkeypatch: Any) -> None:
    assert converse(monkeypatch, b"RSET\n", "QUIT", main={"smtpd_forbid_bare_newline": "no"}).replies[-1] == "221 2.0.0 Bye"
    found = converse(monkeypatch, b"NOOP\n", main={"smtpd_forbid_bare_newline": "reject"})
    assert found.replies[-1] == "550 5.5.2 mail.ours.example Error: bare <LF> received"
