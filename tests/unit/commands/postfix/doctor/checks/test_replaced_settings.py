from __future__ import annotations

from tests.unit.commands.postfix.doctor.conftest import WARNING, Look, Site, only


def test_right(look: Look) -> None:
    assert look("relayhost = [a.example]\nrelayhost = [a.example]\n") == []


def test_replaced(look: Look, site: Site) -> None:
    finding = only(look("relayhost = [a.example]\nbiff = no\nrelayhost = [b.example]\n"))
    assert finding.severity is WARNING
    assert finding.place.line == site.line("main.cf", "[a.example]")
    assert f"line {site.line('main.cf', '[b.example]')} sets relayhost again" in finding.what
