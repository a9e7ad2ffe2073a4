"""Limits by client, with an anvil(8) that says what the test wants."""

from __future__ import annotations

from typing import Any

import pytest

from .fakes import Conversation, converse

ENVELOPE = ["EHLO x", "MAIL FROM:<a@x>", "RCPT TO:<user@ours.example>"]
ME = "client.example[198.51.100.7]"


class Anvil:
    """Says the same to everything."""

    def __init__(self, monkeypatch: Any, count: int | None, rate: int | None) -> None:
        self.asked: list[tuple[str, str]] = []

        async def connected(_self: object, ident: str) -> tuple[int, int] | None:
            self.asked.append(("connect", ident))
            return None if count is None or rate is None else (count, rate)

        async def disconnected(_self: object, ident: str) -> None:
            self.asked.append(("disconnect", ident))

        async def event(_self: object, kind: str, ident: str) -> int | None:
            self.asked.append((kind, ident))
            return rate

        for function in (connected, disconnected, event):
            monkeypatch.setattr(f"pyfix.clients.anvil.AnvilClient.{function.__name__}", function)


LIMITS = {
    "smtpd_client_connection_count_limit": "5", "smtpd_client_connection_rate_limit": "5",
    "smtpd_client_message_rate_limit": "5", "smtpd_client_recipient_rate_limit": "5",
}  # fmt: skip


def session(monkeypatch: Any, count: int | None, rate: int | None, **main: str) -> tuple[Conversation, list[tuple[str, str]]]:
    anvil = Anvil(monkeypatch, count, rate)
    found = converse(monkeypatch, *ENVELOPE, "QUIT", main=main)
    return found, anvil.asked


@pytest.mark.parametrize(("count", "rate"), [(5, 5), (0, 0), (None, None)])
def test_within_the_limits(monkeypatch: Any, count: int | None, rate: int | None) -> None:
    found, asked = session(monkeypatch, count, rate, **LIMITS)
    assert found.replies[-1] == "221 2.0.0 Bye" and found.replies[-2] == "250 2.1.5 Ok"
    ident = "smtp:198.51.100.7"
    assert asked == [("connect", ident), ("message", ident), ("recipient", ident), ("disconnect", ident)]


@pytest.mark.parametrize(
    ("count", "rate", "what", "number"), [(6, 1, "concurrency", 6), (1, 6, "rate", 6)]
)
def test_too_many_connections(monkeypatch: Any, count: int, rate: int, what: str, number: int) -> None:
    found, asked = session(monkeypatch, count, rate, **LIMITS)
    assert found.replies == ["421 4.7.0 mail.ours.example Error: too many connections from 198.51.100.7"]
    assert f"warning: Connection {what} limit exceeded: {number} from {ME} for service smtp" in found.lines
    assert asked[-1][0] == "disconnect"


@pytest.mark.parametrize(
    ("name", "reply", "what"),
    [
        ("smtpd_client_message_rate_limit", "450 4.7.1 Error: too much mail from 198.51.100.7", "Message delivery request"),
        ("smtpd_client_recipient_rate_limit", "450 4.7.1 Error: too many recipients from 198.51.100.7", "Recipient address"),
    ],
)
def test_too_much(monkeypatch: Any, name: str, reply: str, what: str) -> None:
    found, _asked = session(monkeypatch, 1, 6, **{name: "5"})
    assert reply in found.replies
    assert f"warning: {what} rate limit exceeded: 6 from {ME} for service smtp" in found.lines


def test_nobody_is_asked_without_limits(monkeypatch: Any) -> None:
    assert session(monkeypatch, 99, 99, smtpd_client_connection_count_limit="0")[1] == []


@pytest.mark.parametrize("exceptions", ["198.51.100.0/24", "client.example"])
def test_exceptions(monkeypatch: Any, exceptions: str) -> None:
    found, asked = session(monkeypatch, 99, 99, **LIMITS, smtpd_client_event_limit_exceptions=exceptions)
    assert found.replies[-2] == "250 2.1.5 Ok" and asked == []


def test_limits_hold_where_nobody_knows_of_exceptions(monkeypatch: Any) -> None:
    found, asked = session(monkeypatch, 99, 99, **LIMITS, smtpd_client_event_limit_exceptions="fail:x")
    assert found.replies[-1].startswith("421 4.7.0 ") and asked


def test_networks_are_counted_as_one(monkeypatch: Any) -> None:
    _found, asked = session(monkeypatch, 1, 1, **LIMITS, smtpd_client_ipv4_prefix_length="24")
    assert asked[0] == ("connect", "smtp:198.51.100.0/24")


def test_who_may_speak_for_others_is_not_counted_but_they_are(monkeypatch: Any) -> None:
    anvil = Anvil(monkeypatch, 1, 1)
    main = LIMITS | {"smtpd_authorized_xclient_hosts": "198.51.100.7"}
    converse(monkeypatch, "XCLIENT ADDR=203.0.113.5", "QUIT", main=main)
    assert anvil.asked == [("connect", "smtp:203.0.113.5"), ("disconnect", "smtp:203.0.113.5")]


@pytest.mark.parametrize(("rate", "replies"), [(1, ["503 5.5.1 Error: authentication not enabled"]), (2, [])])
def test_auth_commands(monkeypatch: Any, rate: int, replies: list[str]) -> None:
    anvil = Anvil(monkeypatch, 1, rate)
    found = converse(monkeypatch, "EHLO x", "AUTH PLAIN x", main={"smtpd_client_auth_rate_limit": "1"})
    assert found.replies[-1:] == (replies or ["450 4.7.1 Error: too many AUTH commands from 198.51.100.7"])
    assert ("auth", "smtp:198.51.100.7") in anvil.asked
    warning = f"warning: AUTH command rate limit exceeded: 2 from {ME} for service smtp"
    assert (warning in found.lines) is not bool(replies)
