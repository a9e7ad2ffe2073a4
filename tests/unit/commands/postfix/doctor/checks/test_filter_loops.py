from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, Look, Site, only

BACK = "127.0.0.1:10025 inet n - n - - smtpd\n"
AMAVIS = "amavis unix - - n - 2 smtp\n"
SPAMC = "spam unix - n n - - pipe\n  user=spamd argv=/usr/bin/spamc -e /usr/sbin/sendmail -oi -f ${sender} ${recipient}\n"


@pytest.mark.parametrize(
    ("main", "master"),
    [
        ("", ""),
        ("content_filter = amavis:[127.0.0.1]:10024\n", f"{AMAVIS}{BACK}  -o content_filter=\n"),
        ("content_filter = amavis:[127.0.0.1]:10024\n", f"{AMAVIS}{BACK}  -o content_filter= -o mynetworks=127.0.0.0/8\n"
         "127.0.0.1:10026 inet n - n - - smtpd\n"),
        ("", f"{SPAMC}587 inet n - n - - smtpd\n  -o content_filter=spam\n"),
        ("smtpd_proxy_filter = 127.0.0.1:10024\n", f"{BACK}  -o smtpd_proxy_filter=\n"),
        ("content_filter = amavis:[192.0.2.1]:25\n", AMAVIS),
    ],
)  # fmt: skip
def test_right(look: Look, main: str, master: str) -> None:
    assert look(main, master) == []


def test_filtered_again(look: Look, site: Site) -> None:
    finding = only(look("content_filter = amavis:[127.0.0.1]:10024\n", AMAVIS + BACK))
    assert finding.severity is ERROR
    assert finding.place.line == site.line("master.cf", "127.0.0.1:10025")
    assert finding.instead == ("  -o content_filter=",)


def test_no_filter_at_all(look: Look, site: Site) -> None:
    finding = only(look("content_filter = amavis:[127.0.0.1]:10025\n", f"{AMAVIS}{BACK}  -o content_filter=\n"))
    assert "leads back to 127.0.0.1:10025 inet" in finding.what
    assert finding.place.line == site.line("main.cf", "content_filter")


def test_a_simple_filter_that_submits(look: Look, site: Site) -> None:
    finding = only(look("content_filter = spam\n", SPAMC))
    assert "filters its own mail again" in finding.what
    assert finding.instead == ("  -o content_filter=spam",)


def test_proxies(look: Look, site: Site) -> None:
    finding = only(look("smtpd_proxy_filter = 127.0.0.1:10024\n", BACK))
    assert finding.instead == ("  -o smtpd_proxy_filter=",)
    finding = only(look("", f"{BACK}  -o smtpd_proxy_filter=127.0.0.1:10025\n"))
    assert "itself" in finding.what
    assert finding.place.line == site.line("master.cf", "-o smtpd_proxy")
