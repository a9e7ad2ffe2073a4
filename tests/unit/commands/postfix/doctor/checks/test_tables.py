from __future__ import annotations

import os
import time

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, WARNING, Look, Site, only


def dated(path: object, seconds: float) -> None:
    now = time.time()
    os.utime(str(path), (now + seconds, now + seconds))


def test_right(look: Look, site: Site) -> None:
    for name in ("virtual", "virtual.db", "map.lmdb", "regexp", "networks", "text"):
        site.file(name)
    dated(site.folder / "virtual", -100)
    main = (
        "virtual_alias_maps = hash:{dir}/virtual, proxy:lmdb:{dir}/map\nheader_checks = regexp:{dir}/regexp\n"
        "mynetworks = cidr:{dir}/networks\ntransport_maps = texthash:{dir}/text, inline:{a=b}, static:x\n"
        "smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache\nvirtual_mailbox_maps = ldap:people\n"
        "people_server_host = x\nlocal_recipient_maps = proxy:unix:passwd.byname $alias_maps\n"
        "relocated_maps = socketmap:inet:h:1:n\n"
    )
    assert look(main) == []


def test_missing(look: Look, site: Site) -> None:
    finding = only(look("virtual_alias_maps =\n  hash:{dir}/virtual\n"))
    assert finding.severity is ERROR
    assert finding.what.endswith("virtual.db and its source are missing")
    assert finding.place.line == site.line("main.cf", "  hash:")
    site.file("virtual")
    finding = only(look("virtual_alias_maps = hash:{dir}/virtual\n"))
    assert finding.what.endswith("virtual.db has not been made from it")
    assert finding.instead == (f"postmap hash:{site.folder}/virtual",)


def test_older_than_its_source(look: Look, site: Site) -> None:
    site.file("aliases")
    dated(site.file("aliases.db"), -60)
    finding = only(look("alias_maps = hash:{dir}/aliases\n"))
    assert finding.severity is WARNING
    assert "was changed after" in finding.what
    assert finding.instead == (f"postalias hash:{site.folder}/aliases",)


def test_a_table_in_a_restriction_and_in_an_option(look: Look, site: Site) -> None:
    finding = only(look("smtpd_sender_restrictions = check_sender_access hash:{dir}/senders\n"))
    assert "senders.db" in finding.what
    finding = only(look("", "587 inet n - n - - smtpd\n  -o smtpd_sender_login_maps=pcre:{dir}/logins\n"))
    assert finding.what.endswith("logins is missing")
    assert finding.place.line == site.line("master.cf", "pcre:")


@pytest.mark.parametrize(
    ("value", "instead"), [("hsah:/x", ("virtual_alias_maps = hash:/x",)), ("somethingelse:/x", ())]
)
def test_no_such_type(look: Look, value: str, instead: tuple[str, ...]) -> None:
    finding = only(look(f"virtual_alias_maps = {value}\n"))
    assert "no type of table" in finding.what
    assert finding.instead == instead
