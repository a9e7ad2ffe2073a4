"""What leaves at once and what waits behind a table that answers later."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.daemons.smtpd.server import Server

from .fakes import converse


def make_wait(monkeypatch: Any, wait: bool) -> None:
    """Let sessions take it that the tables of refusals answer later, or at once."""
    found = property(lambda _server: wait, lambda _server, _value: None)
    monkeypatch.setattr(Server, "refusals_wait", found, raising=False)


def test_a_refusal_has_its_footer_and_what_follows_has_none(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "FOO", "NOOP", main={"smtpd_reject_footer": "\\c. Ask us"})
    assert found.replies[1:] == ["500 5.5.2 Error: command not recognized. Ask us", "250 2.0.0 Ok"]


@pytest.mark.parametrize("wait", [False, True])
def test_replies_keep_their_order(monkeypatch: Any, wait: bool) -> None:
    make_wait(monkeypatch, wait)
    found = converse(monkeypatch, "EHLO x", b"FOO\r\nBAR\r\nRSET\r\n", "QUIT")
    assert found.replies[-4:] == ["500 5.5.2 Error: command not recognized"] * 2 + ["250 2.0.0 Ok", "221 2.0.0 Bye"]


@pytest.mark.parametrize("wait", [False, True])
def test_421_is_the_end(monkeypatch: Any, wait: bool) -> None:
    make_wait(monkeypatch, wait)
    main = {"smtpd_reject_filter_maps": "regexp:{{/^500/ 421 4.7.0 Go}}"}
    found = converse(monkeypatch, "FOO", "NOOP", main=main)
    assert found.replies[1:] == ["421 4.7.0 Go"]
