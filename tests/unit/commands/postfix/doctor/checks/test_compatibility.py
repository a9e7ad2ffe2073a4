from __future__ import annotations

from tests.unit.commands.postfix.doctor.conftest import NOTE, Look, Site, only


def test_today(look: Look) -> None:
    assert look("compatibility_level = 3.6\n") == []


def test_old_defaults(look: Look, site: Site) -> None:
    finding = only(look("compatibility_level = 0\nappend_dot_mydomain = no\n", "x unix - - - - - smtp\n"))
    assert finding.severity is NOTE
    assert finding.place.line == site.line("main.cf", "compatibility_level = 0")
    assert "mynetworks_style = subnet" in finding.what
    assert "chroot for 1 services" in finding.what
    assert "append_dot_mydomain" not in finding.what
    assert finding.instead[0] == "compatibility_level = 3.6"
    assert "smtputf8_enable = no" in finding.instead


def test_what_is_set_is_no_old_default(look: Look) -> None:
    finding = only(look("compatibility_level = 2\n"))
    assert "relay_domains" not in finding.what
    assert "respectful_logging" in finding.what
    assert look("compatibility_level = 2\n" + "\n".join(finding.instead[1:]) + "\n") == []
