from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd import server as module
from pyfix.daemons.smtpd.server import Server
from pyfix.tables.table import TableError
from tests.unit.rewriting.resolving.conftest import now

from .fakes import MAIN


def make(**main: str) -> Server:
    return Server(Snapshot(MAIN | main, process_name="smtpd"), "smtp")


@pytest.mark.parametrize(
    ("main", "text"),
    [
        ({"receive_override_options": "no_such"}, 'unknown receive_override_options value "no_such"'),
        ({"smtpd_relay_restrictions": "permit"}, "specify at least one working instance of"),
    ],
)
def test_settings_that_cannot_be_used(main: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make(**main)


@pytest.mark.parametrize(("value", "mode"), [("yes", "normalize"), ("NO", "no"), ("note", "note"), ("Reject", "reject")])
def test_bare_newlines(value: str, mode: str) -> None:
    assert make(smtpd_forbid_bare_newline=value).bare_newline == mode


def test_the_file_system_is_asked_once_a_second(monkeypatch: Any) -> None:
    clock, answers = SimpleNamespace(now=100.0), [True, False]
    monkeypatch.setattr(module, "current", lambda: clock)
    monkeypatch.setattr(module, "has_room", lambda *_arguments: answers.pop(0))
    server = make()
    assert server.has_room() and server.has_room()
    clock.now = 101.0
    assert not server.has_room()


def test_keywords_by_address() -> None:
    server = make(
        smtpd_discard_ehlo_keywords="etrn", smtpd_discard_ehlo_keyword_address_maps="inline:{{192.0.2.1 = dsn, CHUNKING}}"
    )
    assert now(server.discarded_for("192.0.2.1")) == {"dsn", "chunking"}
    assert now(server.discarded_for("192.0.2.2")) == {"etrn"}
    with pytest.raises(TableError):
        now(make(smtpd_discard_ehlo_keyword_address_maps="fail:x").discarded_for("192.0.2.1"))


def test_clients_are_counted_only_when_there_is_a_limit() -> None:
    assert not make().counts_clients
    assert make(smtpd_client_message_rate_limit="1").counts_clients
    assert not Server(Snapshot(MAIN | {"smtpd_client_message_rate_limit": "1"}), "smtp", stand_alone=True).counts_clients


def test_the_banner() -> None:
    assert make(smtpd_banner="$myhostname hello").banner == "220 mail.ours.example hello"
