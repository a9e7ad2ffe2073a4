"""What is changed in refusals before they leave."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.tables.table import Table

from .fakes import converse


@pytest.fixture(autouse=True, params=["at once", "waiting"])
def tables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all tables answer at once, or let smtpd wait for them."""
    if request.param == "waiting":
        monkeypatch.setattr(Table, "local", False)


UNKNOWN = "500 5.5.2 Error: command not recognized"


def last(monkeypatch: Any, *lines: str, **main: str) -> list[str]:
    found = converse(monkeypatch, *lines, main=main)
    return found.replies[1:]


@pytest.mark.parametrize(
    ("footer", "shown"),
    [
        ("", [UNKNOWN]),
        ("Ask us", ["500-5.5.2 Error: command not recognized", "500 5.5.2 Ask us"]),
        ("\\c. Ask us", [f"{UNKNOWN}. Ask us"]),
        ("\\c for $client_name[$client_address]:$client_port", [f"{UNKNOWN} for client.example[198.51.100.7]:1234"]),
        ("\\c $server_name $server_address:$server_port", [f"{UNKNOWN} mail.ours.example :"]),
        ("\\c <$helo_name> <$sender> <$recipient> $reverse_client_name", [f"{UNKNOWN} <> <> <> client.example"]),
        ("\\c $client_name ${", [UNKNOWN]),
        ("\\c $nosuch.", [f"{UNKNOWN} ."]),
        ("one\\ntwo", ["500-5.5.2 Error: command not recognized", "500-5.5.2 one", "500 5.5.2 two"]),
    ],
)
def test_footers(monkeypatch: Any, footer: str, shown: list[str]) -> None:
    assert last(monkeypatch, "FOO", smtpd_reject_footer=footer) == shown


def test_only_refusals_have_a_footer(monkeypatch: Any) -> None:
    assert last(monkeypatch, "NOOP", "QUIT", smtpd_reject_footer="\\c. Ask us") == ["250 2.0.0 Ok", "221 2.0.0 Bye"]


def test_footers_by_reply(monkeypatch: Any) -> None:
    main = {"smtpd_reject_footer_maps": f"regexp:{{{{/^{UNKNOWN}/ \\c. Really}}}}", "smtpd_reject_footer": "\\c. Else"}
    assert last(monkeypatch, "FOO", "STARTTLS", **main) == [f"{UNKNOWN}. Really", "502 5.5.1 Error: command not implemented. Else"]
    assert last(monkeypatch, "FOO", smtpd_reject_footer_maps="fail:x", smtpd_reject_footer="\\c. Else") == [f"{UNKNOWN}. Else"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("550 5.0.0 Go away", "550 5.0.0 Go away"), ("450 later", "450 later"), ("450 5.0.0 later", UNKNOWN), ("250 fine", UNKNOWN), ("nonsense", UNKNOWN)],
)
def test_other_words(monkeypatch: Any, value: str, shown: str) -> None:
    found = converse(monkeypatch, "FOO", main={"smtpd_reject_filter_maps": f"regexp:{{{{/^{UNKNOWN}/ {value}}}}}"})
    assert found.replies[-1] == shown
    assert (f"NOQUEUE: reply filter out: {value}" in found.lines) == (shown != UNKNOWN)
    if shown == UNKNOWN:
        assert f"warning: NOQUEUE: ignoring invalid reject filter result: {value}" in found.lines


def test_soft_bounce(monkeypatch: Any) -> None:
    assert last(monkeypatch, "FOO", "RCPT TO:<a@b>", soft_bounce="yes") == [
        "400 4.5.2 Error: command not recognized", "403 4.5.1 Error: need MAIL command",
    ]  # fmt: skip


def test_replies_keep_their_order(monkeypatch: Any) -> None:
    main = {"smtpd_reject_footer_maps": f"regexp:{{{{/^{UNKNOWN}/ \\c. Really}}}}"}
    assert last(monkeypatch, "FOO", "NOOP", "FOO", "QUIT", **main) == [
        f"{UNKNOWN}. Really", "250 2.0.0 Ok", f"{UNKNOWN}. Really", "221 2.0.0 Bye",
    ]  # fmt: skip


def test_a_reply_that_ends_the_session(monkeypatch: Any) -> None:
    main = {"smtpd_reject_filter_maps": f"regexp:{{{{/^{UNKNOWN}/ 421 4.0.0 Go}}}}"}
    assert last(monkeypatch, "FOO", "NOOP", **main) == ["421 4.0.0 Go"]
    assert last(monkeypatch, "FOO", "NOOP", smtpd_hard_error_limit="1", **main) == ["421 4.0.0 Go"]


def test_what_a_reply_is_about(monkeypatch: Any) -> None:
    """The words of the footer are those of the command, also where something is forgotten after it."""
    main = {"smtpd_reject_footer_maps": "static:{\\c <$$sender> <$$recipient>}", "smtpd_relay_restrictions": "reject"}
    replies = last(monkeypatch, "EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "RSET", "FOO", **main)
    assert replies[-3].endswith("Access denied <a@b.example> <>") and replies[-1] == f"{UNKNOWN} <> <>"
