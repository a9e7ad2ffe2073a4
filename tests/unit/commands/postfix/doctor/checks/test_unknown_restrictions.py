from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, NOTE, WARNING, Look, Site, only


def test_right(look: Look) -> None:
    main = (
        "smtpd_restriction_classes = mine, other\nmine = permit_mynetworks\nother = hash:/x, reject\n"
        "smtpd_recipient_restrictions = mine, hash:/etc/postfix/access, check_policy_service { inet:h:1, timeout=1s },\n"
        "  reject_rbl_client zen.example=127.0.0.[2..11], reject_unverified_recipient, check_client_mx_access cidr:/x,\n"
        "  check_ccert_access hash:/y, reject_known_sender_login_mismatch, Permit_SASL_Authenticated, sleep 1\n"
    )
    assert look(main) == []


@pytest.mark.parametrize(
    ("value", "severity", "said", "instead"),
    [
        ("reject_unauth_destinations", ERROR, "; reject_unauth_destination?", ("reject_unauth_destination",)),
        ("permit_my_networks", ERROR, "; permit_mynetworks?", ("permit_mynetworks",)),
        ("permit_sasl_authenticate", ERROR, "; permit_sasl_authenticated?", ("permit_sasl_authenticated",)),
        ("something_else_entirely", ERROR, "no restriction something_else_entirely", ()),
        ("check_sender_access, reject", ERROR, "lacks its argument", ("check_sender_access hash:/etc/postfix/access, reject",)),
        ("reject_rbl_client reject", ERROR, "takes reject for it", ("reject_rbl_client dnsbl.example.org, reject",)),
        ("check_helo_access /etc/x", ERROR, "a table is type:name", ("check_helo_access hash:/etc/x",)),
        ("reject_maps_rbl", WARNING, "no effect", ("reject_rbl_client",)),
        ("permit_mx_backup", WARNING, "will be removed", ("relay_domains = example.com example.net",)),
        ("reject_unknown_client", NOTE, "old name", ("reject_unknown_client_hostname",)),
    ],
)
def test_wrong(look: Look, site: Site, value: str, severity: int, said: str, instead: tuple[str, ...]) -> None:
    finding = only(look(f"smtpd_recipient_restrictions = permit_mynetworks,\n  {value}\n"))
    assert finding.severity == severity
    assert said in finding.what
    assert finding.place.line == site.line("main.cf", f"  {value}")
    assert finding.instead == tuple(
        one if one.startswith("relay_domains") else f"smtpd_recipient_restrictions = permit_mynetworks, {one}"
        for one in instead
    )


def test_a_table_where_none_is_the_usual_one(look: Look) -> None:
    assert only(look("smtpd_data_restrictions = hash:/etc/postfix/access\n")).severity is ERROR


def test_nobody_reads_it(site: Site) -> None:
    site.write("smtpd_recipient_restrictions = nonsense\n")
    master = site.etc / "master.cf"
    master.write_text(master.read_text().partition("\n")[2])  # no smtpd
    from pyfix.commands.postfix.doctor.command import examine

    assert examine(site.examination(), ["unknown_restrictions"]) == []
