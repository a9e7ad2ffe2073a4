from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, Look, Site, only


def test_right(look: Look) -> None:
    assert look("biff = no\nmessage_size_limit = 20480000\nmaximal_queue_lifetime = 5d\n") == []


@pytest.mark.parametrize(
    ("line", "said", "instead"),
    [
        ("biff = nope", "bad boolean configuration", ("biff = yes",)),
        ("message_size_limit = 20M", "bad numerical configuration", ("message_size_limit = 10240000",)),
        ("maximal_queue_lifetime = 5 days", "bad time value or unit", ("maximal_queue_lifetime = 5d",)),
        ("default_process_limit = 0", "< 1", ("default_process_limit = 100",)),
        ("myorigin = /nowhere/mailname", "cannot open file", ("myorigin = $myhostname",)),
        ("relay_domains = ${mydomain", "truncated", ()),
    ],
)
def test_wrong(look: Look, site: Site, line: str, said: str, instead: tuple[str, ...]) -> None:
    finding = only(look(f"{line}\n"))
    assert finding.severity is ERROR
    assert said in finding.what
    assert finding.place.line == site.line("main.cf", line)
    assert instead == () or finding.instead == instead


def test_an_option(look: Look, site: Site) -> None:
    finding = only(look("", "587 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=on\n"))
    assert finding.instead == ("  -o smtpd_tls_wrappermode=no",)
    assert finding.place.line == site.line("master.cf", "wrappermode")
