from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, WARNING, Look, Site, only


def test_right(look: Look, site: Site) -> None:
    site.file("virtual", mode=0o664)
    site.file("virtual.db", mode=0o644)
    site.file("sasl", mode=0o600)
    site.file("sasl.db", mode=0o640)
    site.file("sql.cf", "password = x\n", mode=0o640)
    site.file("ldap.cf", "server_host = x\n", mode=0o644)
    main = (
        "virtual_alias_maps = hash:{dir}/virtual mysql:{dir}/sql.cf ldap:{dir}/ldap.cf\n"
        "smtp_sasl_password_maps = hash:{dir}/sasl\ntransport_maps = hash:{dir}/missing\n"
    )
    assert look(main) == []


def test_everybody_may_write(look: Look, site: Site) -> None:
    path = site.file("aliases.db", mode=0o666)
    finding = only(look("alias_maps = hash:{dir}/aliases\n"))
    assert finding.severity is ERROR
    assert finding.instead == (f"chmod o-w {path}",)
    assert "run commands" in finding.why


@pytest.mark.parametrize(
    ("name", "main"),
    [
        ("sasl.db", "smtp_sasl_password_maps = hash:{dir}/sasl\n"),
        ("sql.cf", "virtual_alias_maps = proxy:mysql:{dir}/sql.cf\n"),
    ],
)
def test_everybody_may_read_passwords(look: Look, site: Site, name: str, main: str) -> None:
    path = site.file(name, "# x\nuser = a\npassword = b\n")
    finding = only(look(main))
    assert finding.severity is WARNING
    assert str(path) in finding.what
    assert finding.instead[0].startswith("chmod 06")
