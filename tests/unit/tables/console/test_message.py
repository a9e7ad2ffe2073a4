import io
import sys

import pytest

from pyfix.tables.console.message import message_keys

MESSAGE = b"""\
Subject: a
 long one
Content-Type: multipart/mixed; boundary="b1"

preamble
--b1
X-Part: 1

body: one
--b1
Content-Type: message/rfc822

X-Nested: n

nested body
--b1--
epilogue
"""


def keys(monkeypatch: pytest.MonkeyPatch, message: bytes = MESSAGE, **which: bool) -> list[str]:
    class Standard:
        buffer = io.BytesIO(message)

    monkeypatch.setattr(sys, "stdin", Standard())
    return list(message_keys(**{"headers": False, "body": False, "mime": False, **which}))


def test_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keys(monkeypatch, headers=True) == ["Subject: a\n long one", 'Content-Type: multipart/mixed; boundary="b1"']


def test_body(monkeypatch: pytest.MonkeyPatch) -> None:
    found = keys(monkeypatch, body=True)
    assert found[:3] == ["", "preamble", "--b1"]
    assert found[-2:] == ["--b1--", "epilogue"]


def test_headers_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = keys(monkeypatch, headers=True, mime=True)
    assert found[2:] == ["X-Part: 1", "Content-Type: message/rfc822", "X-Nested: n"]


def test_body_without_headers_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [line for line in keys(monkeypatch, body=True, mime=True) if line]
    assert found == ["preamble", "--b1", "body: one", "--b1", "nested body", "--b1--", "epilogue"]


def test_no_headers_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keys(monkeypatch, b"just text\nX: y\n", body=True) == ["", "just text", "X: y"]
    assert keys(monkeypatch, b"", headers=True, body=True) == []
