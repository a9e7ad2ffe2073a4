from __future__ import annotations

from pyfix.commands.postfix.doctor.table_references import is_cache, references
from tests.unit.commands.postfix.doctor.conftest import Site


def test_references(site: Site) -> None:
    main = (
        "virtual_alias_maps = proxy:hash:/a, btree:b lmdb:/c\nheader_checks = pcre:/d\nvirtual_transport = lmtp:unix:/x\n"
        "virtual_mailbox_maps = mysql:/e ldap:named\nsmtpd_milters = inet:h:1\ntransport_maps = unionmap:{hash:/f,cdb:/g}\n"
    )
    site.write(main, "587 inet n - n - - smtpd\n  -o smtpd_sender_restrictions=check_sender_access,hash:/h\n")
    found = list(references(site.examination()))
    assert [one.text for one in found] == [
        "hash:/a", "btree:b", "lmdb:/c", "pcre:/d", "mysql:/e", "hash:/f", "cdb:/g", "hash:/h",
    ]  # fmt: skip
    assert [one.indexed for one in found] == [
        "/a.db", f"{site.spool}/b.db", "/c.lmdb", "", "", "/f.db", "/g.cdb", "/h.db",
    ]  # fmt: skip
    assert found[-1].place.line == site.line("master.cf", "hash:/h")
    assert found[0].build == "postmap hash:/a"


def test_default_tables(site: Site) -> None:
    text = (site.etc / "main.cf").read_text().replace("alias_maps =\nalias_database =\n", "")
    (site.etc / "main.cf").write_text(text)
    found = {one.parameter: one for one in references(site.examination())}
    assert set(found) == {"alias_maps", "alias_database"}
    assert found["alias_maps"].text == "texthash:/etc/aliases"
    assert found["alias_maps"].place.line == 0


def test_what_only_speaks_of_tables(site: Site) -> None:
    site.write("proxy_write_maps = btree:/a \\$virtual_alias_maps\nproxy_read_maps = hash:/b\n".replace("\\$", "$"))
    assert list(references(site.examination())) == []


def test_caches() -> None:
    assert is_cache("smtp_tls_session_cache_database")
    assert is_cache("address_verify_map")
    assert not is_cache("virtual_alias_maps")
