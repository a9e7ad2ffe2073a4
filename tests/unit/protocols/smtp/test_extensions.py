from __future__ import annotations

from pyfix.protocols.smtp.extensions import discarded_keywords, ehlo_reply, listed


def test_keywords() -> None:
    found = discarded_keywords(["DSN", "pipelining", "nonsense", "silent-discard"])
    assert found == {"dsn", "pipelining", "silent-discard"}
    assert listed(found) == "PIPELINING, DSN"


def test_reply() -> None:
    assert ehlo_reply("host", ["A", "B 1"]) == "250-host\n250-A\n250 B 1"
    assert ehlo_reply("host", []) == "250 host"
