from __future__ import annotations

from pyfix.daemons.smtp.server import Server


def test_names() -> None:
    tcp = Server("x.example", "mx.example", "192.0.2.1", 25)
    assert (tcp.name, tcp.full_name) == ("mx.example[192.0.2.1]", "mx.example[192.0.2.1]:25")
    assert tcp.endpoint == ("192.0.2.1", 25)
    path = Server("unix:private/x", "me.example", "private/x")
    assert (path.name, path.full_name, path.endpoint) == ("me.example[private/x]", "me.example[private/x]", "private/x")
