from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, Look, Site, only


def test_right(look: Look) -> None:
    main = (
        "local_transport = local:$myhostname\nvirtual_transport = lmtp:unix:private/dovecot-lmtp\nrelayhost =\n"
        "content_filter = amavis:[127.0.0.1]:10024\ntransport_maps = inline:{x.example=smtp:y, y.example=:, z=error:no}\n"
        "virtual_alias_maps = proxy:hash:/etc/postfix/virtual\n"
    )
    assert look(main, "amavis unix - - n - - smtp\n") == []


@pytest.mark.parametrize(
    ("line", "said", "instead"),
    [
        ("virtual_transport = dovecot", "no service dovecot", ()),
        ("virtual_transport = lmpt:unix:private/x", "; lmtp?", ("virtual_transport = lmtp:unix:private/x",)),
        ("content_filter = smtp-amavis:[127.0.0.1]:10024", "no service smtp-amavis", ()),
        ("transport_maps = inline:{x.example=slow:}", "the entry of x.example names the transport slow", ()),
        (
            "cleanup_service_name = precleanup",
            "no service precleanup",
            ("precleanup   unix  n       -       n       -       0       cleanup",),
        ),
    ],
)
def test_missing(look: Look, site: Site, line: str, said: str, instead: tuple[str, ...]) -> None:
    finding = only(look(f"{line}\n"))
    assert finding.severity is ERROR
    assert said in finding.what
    assert finding.place.line == site.line("main.cf", line)
    assert finding.instead == instead


def test_an_option(look: Look, site: Site) -> None:
    finding = only(look("", "587 inet n - n - - smtpd\n  -o cleanup_service_name=clenaup\n"))
    assert finding.place.line == site.line("master.cf", "clenaup")
    assert finding.instead == ("  -o cleanup_service_name=cleanup",)


def test_address_classes_that_are_empty(site: Site) -> None:
    from pyfix.commands.postfix.doctor.command import examine

    for main, missing in (("mydestination =\n", []), ("", ["local"]), ("relay_domains = x.example\n", ["local", "relay"])):
        site.write(main)
        master = site.etc / "master.cf"
        master.write_text("".join(line for line in master.open() if not line.startswith(("local", "virtual", "relay"))))
        found = examine(site.examination(), ["missing_services"])
        assert [finding.what.rpartition(" ")[2] for _, finding in found] == missing


def test_postscreen(look: Look, site: Site) -> None:
    master = "25 inet n - n - 1 postscreen\n"
    assert "smtpd pass" in only(look("", master)).what
    master += "smtpd pass - - n - - smtpd\n"
    assert look("", master) == []
    found = look("postscreen_dnsbl_sites = a.example\nsmtpd_tls_security_level = may\n", master)
    assert [finding.what.split()[4] for finding in found] == ["dnsblog", "tlsproxy"]


def test_proxymap(look: Look, site: Site) -> None:
    site.write("virtual_alias_maps = proxy:hash:/etc/postfix/virtual\n")
    master = site.etc / "master.cf"
    master.write_text("".join(line for line in master.open() if not line.startswith("proxymap")))
    from pyfix.commands.postfix.doctor.command import examine

    found = [finding for _, finding in examine(site.examination(), ["missing_services"])]
    assert only(found).place.line == site.line("main.cf", "proxy:")
