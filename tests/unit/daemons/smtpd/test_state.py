"""What is forgotten, and when."""

from __future__ import annotations

from typing import Any

from .fakes import converse

MAIL = ["EHLO client.test", "MAIL FROM:<a@x.test> SIZE=10", "RCPT TO:<user@ours.example>"]


def test_rset_forgets_the_mail(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *MAIL, "RSET")
    session = found.session
    assert session.message is None and found.messages[0].state == "canceled"
    assert session.transaction.sender is None and session.transaction.queue_id == "" and session.transaction.size == 0
    assert session.mail.size is None and session.chunks is None and session.recipients_seen == 0
    assert session.transaction.helo_name == "client.test"


def test_extensions_that_are_offered(monkeypatch: Any) -> None:
    session = converse(monkeypatch, "EHLO c").session
    assert session.takes_smtputf8 and not session.takes_requiretls
    session.discarded = frozenset({"smtputf8"})
    assert not session.takes_smtputf8
