from __future__ import annotations

from typing import Any

import pytest

from pyfix.daemons.smtpd import transcript

from .fakes import converse


def notices(monkeypatch: Any, *lines: str | bytes, classes: str, **named: Any) -> list[list[str]]:
    """Return the texts that the postmaster gets."""
    seen: list[list[str]] = []
    monkeypatch.setattr(transcript, "_tell", lambda _server, _client, text, _recipient: seen.append(text) or _nothing())
    converse(monkeypatch, *lines, main={"notify_classes": classes, **named})
    return seen


async def _nothing() -> None:
    pass


def test_protocol(monkeypatch: Any) -> None:
    (text,) = notices(monkeypatch, "FOO", "QUIT", classes="protocol")
    assert text == [
        "Transcript of session follows.", "", " Out: 220 mail.ours.example ESMTP Postfix", " In:  FOO",
        " Out: 500 5.5.2 Error: command not recognized", " In:  QUIT", " Out: 221 2.0.0 Bye", "", "",
        "For other details, see the local mail logfile",
    ]  # fmt: skip
    assert notices(monkeypatch, "FOO", "QUIT", classes="resource, software") == []
    assert notices(monkeypatch, "NOOP", "QUIT", classes="protocol") == []


def test_reason(monkeypatch: Any) -> None:
    (text,) = notices(monkeypatch, "FOO", classes="protocol")
    assert text[-4:] == ["", "Session aborted, reason: lost connection", "", "For other details, see the local mail logfile"]


@pytest.mark.parametrize(
    ("recipient", "class_"), [("nobody@ours.example", "bounce"), ("a@elsewhere.example", "policy"), ("a@b..c", "protocol")]
)
def test_classes(monkeypatch: Any, recipient: str, class_: str) -> None:
    lines = ["MAIL FROM:<a@b>", f"RCPT TO:<{recipient}>", "QUIT"]
    for name in ("bounce", "policy", "protocol", "software"):
        assert len(notices(monkeypatch, *lines, classes=name)) == (name == class_)


def test_long_session(monkeypatch: Any) -> None:
    lines = ["FOO", "RSET"] * 3 + ["NOOP"] * 20
    found = notices(monkeypatch, *lines, classes="protocol", smtpd_history_flush_threshold="6")
    assert len(found) == 2
