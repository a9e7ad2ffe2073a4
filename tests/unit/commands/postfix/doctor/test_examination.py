from __future__ import annotations

import pytest

from pyfix.commands.postfix.doctor.finding import Place
from pyfix.config.errors import ConfigError
from tests.unit.commands.postfix.doctor.conftest import Site

MASTER = """\
587 inet n - y - - smtpd
    # a comment
    -o syslog_name=postfix/submission -o { smtpd_client_restrictions = permit, reject }
    -osmtpd_helo_required=yes
127.0.0.1:10025 inet n - n - - smtpd
"""


def test_places(site: Site) -> None:
    site.write("relayhost = [a]\nmynetworks = 1.2.3.4\n# x\n  5.6.7.8\n\n  9.9.9.9\n", MASTER)
    examination = site.examination()
    submission, local = examination.services[-2:]
    assert examination.place("relayhost").line == site.line("main.cf", "[a]")
    assert examination.place("mynetworks", None, "9.9.9.9").line == site.line("main.cf", "9.9.9.9")
    assert examination.place("mynetworks", None, "absent").line == site.line("main.cf", "1.2.3.4")
    assert examination.place("biff") == Place(str(site.etc / "main.cf"))
    assert examination.place("smtpd_client_restrictions", submission).line == site.line("master.cf", "-o { smtpd_client")
    assert examination.place("smtpd_helo_required", submission).line == site.line("master.cf", "-osmtpd")
    assert examination.place("relayhost", submission).line == site.line("main.cf", "[a]")
    assert local.place.line == site.line("master.cf", "10025")


def test_services_have_their_own_values(site: Site) -> None:
    site.write("smtpd_helo_required = no\n", MASTER)
    examination = site.examination()
    submission = examination.services[-2]
    assert submission.title == "587 inet"
    assert submission.snapshot.value("smtpd_helo_required") == "yes"
    assert submission.snapshot.value("service_name") == "587"
    assert examination.snapshot.value("smtpd_helo_required") == "no"
    assert [service and service.title for service, _ in examination.scopes("smtpd")] == [None, "587 inet"]
    assert list(examination.scopes("postscreen")) == []
    assert examination.assignment("relayhost", "x", submission) == "relayhost = x"
    assert examination.assignment("syslog_name", "a b", submission) == "  -o { syslog_name = a b }"
    assert examination.has_service("cleanup")
    assert not examination.has_service("587")


@pytest.mark.parametrize(
    ("interfaces", "alone"), [("all", [False, True]), ("loopback-only", [True, True]), ("127.0.0.1 [::1]", [True, True])]
)
def test_loopback(site: Site, interfaces: str, alone: list[bool]) -> None:
    site.write(f"inet_interfaces = {interfaces}\n", MASTER)
    assert [service.listens_on_loopback_only for service in site.examination().services[-2:]] == alone


def test_sockets(site: Site) -> None:
    site.write("", MASTER)
    examination = site.examination()
    jailed = examination.services[-2]
    assert examination.socket_path("private/auth") == f"{site.spool}/private/auth"
    assert examination.socket_path("/run/x") == "/run/x"
    assert examination.socket_path("/run/x", jailed) == f"{site.spool}/run/x"


def test_replaced_settings(site: Site) -> None:
    site.write("biff = no\nbiff = no\nbiff = yes\n")
    examination = site.examination()
    assert [(name, value) for name, _, value in examination.earlier] == [("biff", "no")]
    assert examination.snapshot.value("biff") == "yes"


@pytest.mark.parametrize(("main", "master"), [("no assignment\n", ""), ("", "x unix\n"), ("", "x unix - - - - - y -o z\n")])
def test_files_that_nobody_can_read(site: Site, main: str, master: str) -> None:
    site.write(main, master)
    with pytest.raises(ConfigError):
        site.examination()
