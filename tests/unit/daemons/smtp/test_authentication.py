"""Logging in, where it is not shown by tests/parity/sasl/test_client.py: long responses, tokens, and who may use a session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtp.authentication import log_in
from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.server import Server
from pyfix.protocols.smtp.client_reply import Reply
from pyfix.protocols.smtp.offer import Offer
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now
from pyfix.sasl.client import ClientLogin


class FakeSession:
    """A server that says prepared things."""

    def __init__(self, mechanisms: str, *replies: str) -> None:
        self.server = Server("[mx.example]", "mx.example", "192.0.2.1", 25)
        self.offer = Offer()
        self.offer.read(f"250-x\n250 AUTH {mechanisms}", (), str)
        self.personal = self.worn = self.authenticated = False
        self.encrypted = None
        self.said: list[str] = []
        self.shown: list[str] = []
        self._replies = list(replies)

    def say(self, command: str) -> None:
        self.say_secret(command, command)

    def say_secret(self, command: str, shown: str) -> None:
        self.said.append(command)
        self.shown.append(shown)

    async def reply(self, _timeout: float) -> Reply:
        text = self._replies.pop(0)
        return Reply(int(text[:3]), f"{text[0]}.0.0", text)


def logged_in(monkeypatch: Any, session: FakeSession, **main: str) -> Failure | None:
    monkeypatch.setattr(log, "warning", lambda _text: None)
    base = {"smtp_sasl_password_maps": "static:joe:s3cret", "smtp_sasl_security_options": ""}
    settings = SmtpClientSettings(Snapshot({**base, **main}, process_name="smtp"))
    login = ClientLogin(settings, "smtp")
    login.open_tables()
    setup = SimpleNamespace(settings=settings, lmtp=False, prefix="smtp")
    courier = SimpleNamespace(queue_id="Q", delivery=SimpleNamespace(request=SimpleNamespace(sender="a@b.example")))
    return run_now(log_in(session, courier, setup, login))  # type: ignore[arg-type]  # a fake with what it needs


def test_success(monkeypatch: Any) -> None:
    session = FakeSession("PLAIN", "235 ok")
    assert logged_in(monkeypatch, session) is None
    assert session.authenticated
    assert session.personal
    assert not session.worn
    assert session.shown == ["AUTH PLAIN <hidden>"]


def test_a_long_response_waits(monkeypatch: Any) -> None:
    maps = f"static:joe:{'x' * 600}"
    session = FakeSession("PLAIN", "334 ", "235 ok")
    assert logged_in(monkeypatch, session, smtp_sasl_password_maps=maps) is None
    assert session.said[0] == "AUTH PLAIN"
    failure = logged_in(monkeypatch, FakeSession("PLAIN", "334 eA=="), smtp_sasl_password_maps=maps)
    assert failure is not None
    assert "non-empty initial PLAIN challenge from server mx.example[192.0.2.1]: 334 eA==" in failure.reason


@pytest.mark.parametrize("mechanisms", ["SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"])
@pytest.mark.parametrize("challenge", ["334 !!!", "334 ====", "334 " + "QUJD" * 200, "334", "334-a\n334 b"])
def test_nonsense_is_never_success(monkeypatch: Any, mechanisms: str, challenge: str) -> None:
    session = FakeSession(mechanisms, *[challenge] * 9)
    assert isinstance(logged_in(monkeypatch, session), Failure)
    assert not session.authenticated


def test_token(monkeypatch: Any) -> None:
    async def token(_source: str) -> str:
        return "ya29"

    monkeypatch.setattr("pyfix.sasl.client.fetch_token", token)
    session = FakeSession("PLAIN XOAUTH2", "334 eyJzdGF0dXMiOiI0MDEifQ==", "535 5.7.8 no")
    failure = logged_in(monkeypatch, session, pyfix_smtp_sasl_token_maps="inline:{joe=file:/token}")
    assert failure is not None
    assert failure.reason.endswith("said: 535 5.7.8 no")
    assert session.said[0].startswith("AUTH XOAUTH2 ")
    assert session.said[1] == ""
    assert not any("s3cret" in line for line in session.said)
