from __future__ import annotations

import io
import sys

import pytest

from pyfix.commands.postconf.messages import fatal, print_text, warn


def test_messages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["postconf"])
    warn("a\tb é")
    fatal("end")
    assert capsys.readouterr().err == "postconf: warning: a?b ??\npostconf: fatal: end\n"


def test_bytes_that_are_no_text_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="utf-8", errors="strict", write_through=True))
    print_text("a = \udce9\n")
    assert raw.getvalue() == b"a = \xe9\n"
