from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from pyfix.config.host import host_domain, host_networks, host_qualified_name
from pyfix.config.snapshot import Snapshot


@pytest.mark.parametrize(
    ("node", "main", "name", "domain"),
    [
        ("mail.ours.example", {}, "mail.ours.example", "ours.example"), ("mail", {}, "mail.localdomain", "localdomain"),
        ("mail", {"mydomain": "d.example"}, "mail.d.example", "localdomain"),
        ("mail", {"myhostname": "h.x.example"}, "mail.localdomain", "x.example"),
        ("mail", {"myhostname": "$a.y.example", "a": "h"}, "mail.localdomain", "y.example"),
        ("mail", {"myhostname": "single"}, "mail.localdomain", "localdomain"),
    ],
)  # fmt: skip
def test_names(monkeypatch: pytest.MonkeyPatch, node: str, main: dict[str, str], name: str, domain: str) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename=node))
    snapshot = Snapshot(main)
    assert (host_qualified_name(snapshot), host_domain(snapshot)) == (name, domain)


def test_networks() -> None:
    snapshot = Snapshot({"mynetworks_style": "host", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "compatibility_level": "3.11"})
    assert host_networks(snapshot) == "127.0.0.1/32"
