from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import NOTE, WARNING, Look, Site, only


def test_right(look: Look) -> None:
    main = (
        "mua_client_restrictions = permit\nsmtpd_restriction_classes = mine\nmine = reject\n"
        "virtual_alias_maps = ldap:people\npeople_server_host = ldap.example\nsmtp_destination_rate_delay = 1s\n"
        "dovecot_destination_recipient_limit = 1\npolicy_time_limit = 3600\nrelay_domains = $relay${?x}\nrelay = x\n"
        "postscreen_blacklist_action = ignore\nmailbox_command = procmail -a $EXTENSION\n"
    )
    master = (
        "dovecot unix - n n - - pipe\n  user=x argv=y\npolicy unix - n n - 0 spawn\n  user=x argv=y\n"
        "587 inet n - n - - smtpd\n  -o smtpd_client_restrictions=$mua_client_restrictions -o own=1 -o syslog_name=$own\n"
    )
    assert look(main.replace("${?x}", ""), master) == []


@pytest.mark.parametrize(
    ("line", "severity", "said", "instead"),
    [
        ("smtpd_recipient_restriction = reject", WARNING, "; smtpd_recipient_restrictions?",
         ("smtpd_recipient_restrictions = reject",)),
        ("mynetwork = 127.0.0.1", WARNING, "; mynetworks?", ("mynetworks = 127.0.0.1",)),
        ("smtpd_tls_cert_flie = x", WARNING, "; smtpd_tls_cert_file?", ("smtpd_tls_cert_file = x",)),
        ("something_of_our_own = x", NOTE, "nothing reads", ()),
        ("dovecto_destination_recipient_limit = 1", NOTE, "no service dovecto", ()),
        ("relya_destination_rate_delay = 1s", NOTE, "; relay?", ("relay_destination_rate_delay = 1s",)),
        ("relay_domains = $mydestinaton", WARNING, "; $mydestination?", ("relay_domains = $mydestination",)),
        ("relay_domains = ${completely_other}", NOTE, "which nobody sets", ()),
    ],
)  # fmt: skip
def test_wrong(look: Look, site: Site, line: str, severity: int, said: str, instead: tuple[str, ...]) -> None:
    finding = only(look(f"{line}\n"))
    assert finding.severity == severity
    assert said in finding.what
    assert finding.place.line == site.line("main.cf", line)
    assert finding.instead == instead


def test_options(look: Look, site: Site) -> None:
    finding = only(look("", "587 inet n - n - - smtpd\n  -o smtpd_sasl_auth_enabel=yes\n"))
    assert finding.instead == ("  -o smtpd_sasl_auth_enable=yes",)
    assert finding.place.line == site.line("master.cf", "enabel")
    finding = only(look("", "587 inet n - n - - smtpd\n  -o smtpd_client_restrictions=$mua_client_restrictions\n"))
    assert "$mua_client_restrictions" in finding.what
    assert finding.severity is NOTE  # the distributed master.cf has it, for those who set it
