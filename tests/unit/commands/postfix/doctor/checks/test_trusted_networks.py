from __future__ import annotations

import pytest

from pyfix.commands.postfix.doctor.host import Host
from tests.unit.commands.postfix.doctor.conftest import ERROR, NOTE, WARNING, Look, Site, only


@pytest.mark.parametrize(
    "main",
    [
        "",
        "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128\n",
        "mynetworks = 10.0.0.0/8, 172.16.0.0/12 192.168.0.0/16 [fd00::]/8 198.51.100.0/24\n",
        "mynetworks = !10.1.1.1 10.0.0.0/8\n",
        "mynetworks = hash:/etc/postfix/networks, /etc/postfix/file\n",
        "smtpd_authorized_xclient_hosts = 127.0.0.1\n",
    ],
)
def test_right(look: Look, main: str) -> None:
    assert look(main) == []


@pytest.mark.parametrize(
    ("networks", "severity", "said"),
    [
        ("127.0.0.0/8 0.0.0.0/0", ERROR, "all addresses"),
        ("[::]/0", ERROR, "all addresses"),
        ("0.0.0.0/1", ERROR, "one in 2"),
        ("80.0.0.0/11", WARNING, "2097152 addresses"),
        ("192.168.1.7/24", ERROR, "no network"),
    ],
)
def test_too_wide(look: Look, site: Site, networks: str, severity: int, said: str) -> None:
    finding = only(look(f"mynetworks = {networks}\n"))
    assert finding.severity == severity
    assert said in finding.what + finding.why
    assert finding.place.line == site.line("main.cf", networks)


def test_a_network_put_right(look: Look) -> None:
    assert only(look("mynetworks = 127.0.0.0/8 0.0.0.0/0 10.1.1.1\n")).instead == ("mynetworks = 127.0.0.0/8 10.1.1.1",)
    assert only(look("mynetworks = 0.0.0.0/0\n")).instead[0].startswith("mynetworks = 127.0.0.0/8 ")
    assert only(look("mynetworks = 192.168.1.7/24\n")).instead == ("mynetworks = 192.168.1.0/24",)


def test_xclient(look: Look) -> None:
    finding = only(look("smtpd_authorized_xclient_hosts = 0.0.0.0/0\n"))
    assert finding.severity is ERROR
    assert "pretend" in finding.why


@pytest.mark.parametrize(("in_container", "severity"), [(True, WARNING), (False, NOTE)])
def test_gateways(look: Look, site: Site, in_container: bool, severity: int) -> None:
    site.host = Host(gateways=("172.17.0.1", "fd00::1"), in_container=in_container)
    finding = only(look("mynetworks = 127.0.0.0/8\n  172.16.0.0/12\n"))
    assert finding.severity == severity
    assert "172.16.0.0/12, which includes the default gateway 172.17.0.1" in finding.what
    assert finding.place.line == site.line("main.cf", "172.16")
    assert finding.instead == ("mynetworks = !172.17.0.1 127.0.0.0/8 172.16.0.0/12",)
    assert look(finding.instead[0] + "\n") == []


def test_the_gateway_by_its_address(look: Look, site: Site) -> None:
    site.host = Host(gateways=("192.168.0.1",))
    finding = only(look("mynetworks = 127.0.0.0/8 192.168.0.1\n"))
    assert finding.severity is WARNING
    assert finding.instead == ("mynetworks = !192.168.0.1 127.0.0.0/8",)


def test_options_of_a_service(look: Look, site: Site) -> None:
    found = look("", "10025 inet n - n - - smtpd\n  -o mynetworks=0.0.0.0/0\n")
    assert only(found).place.line == site.line("master.cf", "-o mynetworks")
