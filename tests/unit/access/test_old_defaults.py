"""Old defaults in use."""

from __future__ import annotations

import pytest

from pyfix.access import old_defaults
from pyfix.access.old_defaults import OldDefaults
from pyfix.config.snapshot import Snapshot

NETWORK = {"inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(old_defaults.log, "info", lines.append)
    return lines


@pytest.mark.parametrize(
    ("level", "old"),
    [
        ("0", (True, True, True, True)),
        ("1", (False, False, True, True)),
        ("2", (False, False, False, True)),
        ("3.6", (False, False, False, False)),
    ],
)
def test_levels(level: str, old: tuple[bool, ...]) -> None:
    found = OldDefaults(Snapshot({"compatibility_level": level, **NETWORK}))
    assert (found.smtputf8, found.relay_list, found.relay_domains, found.relay_last) == old


def test_what_main_cf_sets_is_no_default(said: list[str]) -> None:
    names = ("smtputf8_enable", "smtpd_relay_restrictions", "relay_domains", "smtpd_relay_before_recipient_restrictions")
    found = OldDefaults(Snapshot({"compatibility_level": "0", "mynetworks": "127.0.0.0/8", **dict.fromkeys(names, "no")}))
    found.tell_network("127.0.0.2", "x")
    found.tell_relay("accept mail for domain", "x")
    found.tell_utf8("sender", "\u00e4", "x")
    found.tell_order("x", "y")
    assert not said and not found.relay_list


def test_network(said: list[str]) -> None:
    found = OldDefaults(Snapshot({"compatibility_level": "1", **NETWORK}))
    found.tell_network("127.0.0.1", "us")
    assert not said
    found.tell_network("127.0.0.9", "them[127.0.0.9]")
    assert said == [
        "using backwards-compatible default setting mynetworks_style=subnet to permit request from client \"them[127.0.0.9]\""
    ]


def test_flushing_is_told_of_by_default_only() -> None:
    assert OldDefaults(Snapshot({"compatibility_level": "1", **NETWORK})).flush_domains
    assert not OldDefaults(Snapshot({"compatibility_level": "1", "fast_flush_domains": "x", **NETWORK})).flush_domains


def test_digest(said: list[str]) -> None:
    for main in ({"compatibility_level": "3.6"}, {"compatibility_level": "2", "smtpd_tls_fingerprint_digest": "md5"}):
        OldDefaults(Snapshot({**main, **NETWORK})).tell_digest("certificate fingerprints")
    assert not said
    OldDefaults(Snapshot({"compatibility_level": "3.5", **NETWORK})).tell_digest("public key fingerprints")
    assert said == ["using backwards-compatible default setting smtpd_tls_fingerprint_digest=md5 to compute public key fingerprints"]
