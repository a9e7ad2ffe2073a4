"""AUTH without sockets; what the reference says is in tests/parity/sasl."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.daemons.smtpd.authentication import HIDDEN, without_secret
from tests.kit.authdouble import encoded

from .fakes import converse

MAIN = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "cyrus",
    "cyrus_sasl_config_path": "/nowhere",
    "broken_sasl_auth_clients": "yes",
    "smtpd_sasl_mechanism_filter": "login, plain",
}


def test_what_is_offered(monkeypatch: Any) -> None:
    replies = converse(monkeypatch, "EHLO x", main=MAIN).replies
    assert "250-AUTH PLAIN LOGIN" in replies
    assert "250-AUTH=PLAIN LOGIN" in replies
    replies = converse(monkeypatch, "EHLO x", main=MAIN | {"smtpd_sasl_exceptions_networks": "198.51.100.0/24"}).replies
    assert not any("AUTH" in reply for reply in replies)


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        (["AUTH"], "501 5.5.4 Syntax: AUTH mechanism"),
        (["AUTH PLAIN a b"], "501 5.5.4 Syntax: AUTH mechanism"),
        (["AUTH FOO"], "535 5.7.8 Error: authentication failed: no mechanism available"),
        (["AUTH LOGIN", "*"], "501 5.7.0 Authentication aborted"),
        (["AUTH PLAIN", "A" * 12288], "500 5.5.6 SASL response limit exceeded"),
        (["AUTH PLAIN ===="], "535 5.7.8 Error: authentication failed: bad protocol / cancel"),
        (["MAIL FROM:<a@b>", "AUTH PLAIN"], "503 5.5.1 Error: MAIL transaction in progress"),
        ([f"AUTH PLAIN {encoded('', '', 'x')}"], "454 4.7.0 Temporary authentication failure: generic failure"),
    ],
)
def test_replies(monkeypatch: Any, lines: list[str], reply: str) -> None:
    assert converse(monkeypatch, "EHLO x", *lines, main=MAIN).replies[-1] == reply


def test_only_with_tls(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "EHLO x", "AUTH PLAIN", main=MAIN | {"smtpd_tls_auth_only": "yes"})
    assert not any("AUTH" in reply for reply in found.replies)
    assert found.replies[-1] == "503 5.5.1 Error: authentication not enabled"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("AUTH PLAIN AGpvZQBwdw==", f"AUTH PLAIN {HIDDEN}"), ("auth\tplain  x y", f"auth plain {HIDDEN}"), ("AUTH LOGIN", "AUTH LOGIN"),
        ("NOOP", "NOOP"), ("", ""),
    ],
)  # fmt: skip
def test_secrets_are_not_shown(line: str, shown: str) -> None:
    assert without_secret(line) == shown


def test_no_secret_in_a_notice(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "EHLO x", "AUTH PLAIN", "U0VDUkVU", "AUTH LOGIN U0VDUkVU", "*", main=MAIN | {"notify_classes": "protocol"})
    kept = found.session.transcript
    assert kept is None or not any("U0VDUkVU" in line for line in kept.lines)
    assert not any("U0VDUkVU" in line for line in found.lines)
