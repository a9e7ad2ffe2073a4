from __future__ import annotations

from pyfix.commands.postfix.doctor.host import Host
from tests.unit.commands.postfix.doctor.conftest import ERROR, WARNING, Look, Site, only

POSTLOG = "postlog unix-dgram n - n - 1 postlogd\n"


def test_right(look: Look, site: Site) -> None:
    assert look() == []
    site.host = Host(has_syslog=False)
    assert look("maillog_file = {dir}/maillog\n", POSTLOG) == []
    assert look("maillog_file = /dev/stdout\n", POSTLOG) == []


def test_no_log(look: Look, site: Site) -> None:
    site.host = Host(has_syslog=False, in_container=True)
    finding = only(look())
    assert finding.severity is WARNING
    assert finding.instead == ("maillog_file = /dev/stdout",)


def test_nobody_writes_it(look: Look, site: Site) -> None:
    finding = only(look("maillog_file = {dir}/maillog\n"))
    assert finding.severity is ERROR
    assert "no service postlog" in finding.what
    assert look("", finding.instead[0] + "\n") == []
    finding = only(look("maillog_file = {dir}/none/maillog\n", POSTLOG))
    assert finding.instead == (f"mkdir -m 0755 {site.folder}/none",)
