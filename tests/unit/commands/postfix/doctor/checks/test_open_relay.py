from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, Look, Site, only

SASL = "submission inet n - n - - smtpd\n"


@pytest.mark.parametrize(
    "main",
    [
        "",
        "smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination\n",
        "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_mynetworks reject_unauth_destination permit\n",
        "smtpd_recipient_restrictions = permit\n",
        "smtpd_relay_restrictions = permit_mynetworks, check_client_access inline:{192.0.2.9=OK}, reject\n",
        "smtpd_relay_restrictions = permit_mynetworks\nsmtpd_recipient_restrictions = reject_unauth_destination\n",
        "smtpd_relay_restrictions = permit_mynetworks, reject_rbl_client dnsbl.example, reject_unauth_destination\n",
        "smtpd_relay_restrictions = permit\nsmtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:1, reject\n",
        "smtpd_client_restrictions = permit_mynetworks, reject\nsmtpd_relay_restrictions =\n"
        "smtpd_recipient_restrictions = permit_mynetworks, defer_if_permit\n",
        "relay_domains = relay.example\nallow_percent_hack = yes\nallow_untrusted_routing = yes\n",
        "virtual_mailbox_domains = static:everything\n",
        "default_transport = error:nothing leaves this host\nmynetworks = 0.0.0.0/0\n",
        "smtpd_sender_restrictions = check_sender_access inline:{ours.example=OK}\n",
        "mydestination = mysql:/nowhere\nrelay_domains = ldap:/nowhere\n",
    ],
)  # fmt: skip
def test_closed(look: Look, main: str) -> None:
    assert look(main) == []


@pytest.mark.parametrize(
    ("main", "at", "how"),
    [
        ("mynetworks = 0.0.0.0/0\n", "mynetworks = 0", "permit_mynetworks"),
        (
            "smtpd_relay_restrictions = permit_mynetworks,\n  check_client_access static:OK,\n  reject_unauth_destination\n",
            "  check_client_access",
            "static:OK in smtpd_relay_restrictions",
        ),
        (
            "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions =\n  check_sender_access inline:{friend.example=OK}\n"
            "  reject_unauth_destination\n",
            "inline:{friend",
            "<somebody@friend.example>",
        ),
        (
            "smtpd_relay_restrictions = check_sender_access inline:{ours.example=OK} reject_unauth_destination\n",
            "inline:{ours",
            "<postmaster@mail.ours.example>",
        ),
        (
            "smtpd_relay_restrictions = check_helo_access inline:{pc.ours.example=OK}, defer_unauth_destination\n",
            "inline:{pc",
            "HELO pc.ours.example",
        ),
        (
            "smtpd_relay_restrictions = ours\nsmtpd_restriction_classes = ours\n"
            "ours = check_client_access regexp:{dir}/open, reject\n",
            "smtpd_relay_restrictions = ours",
            "regexp:",
        ),
        ("relay_domains = elsewhere.example\n", "relay_domains = e", "relay_domains"),
        (
            "smtpd_relay_restrictions =\n"
            "smtpd_recipient_restrictions = reject_unverified_recipient, warn_if_reject reject,\n  permit_mynetworks, "
            "sleep 9, reject_rbl_client dnsbl.example, check_recipient_access regexp:{dir}/open, reject\n",
            "  permit_mynetworks",
            "open in smtpd_recipient",
        ),
    ],
)  # fmt: skip
def test_open(look: Look, site: Site, main: str, at: str, how: str) -> None:
    site.file("open", "/./ OK\n")
    finding = only(look(main))
    assert finding.severity is ERROR
    assert finding.what.startswith("open relay: smtp inet lets a stranger (")
    assert how in finding.what + finding.why
    assert (finding.place.path, finding.place.line) == (str(site.etc / "main.cf"), site.line("main.cf", at))
    assert finding.instead


def test_what_was_not_asked_is_told(look: Look) -> None:
    main = "smtpd_relay_restrictions = reject_rbl_client dnsbl.example, check_client_access static:OK, reject\n"
    main += "smtpd_recipient_restrictions = reject_unverified_recipient\n"
    assert only(look(main)).why.endswith(
        " Not asked, as only others can answer: reject_rbl_client dnsbl.example, reject_unverified_recipient."
    )


def test_an_option_of_one_service(look: Look, site: Site) -> None:
    finding = only(look("", SASL + "  -o syslog_name=x\n  -o smtpd_relay_restrictions=permit_mynetworks,permit,reject\n"))
    assert "submission inet" in finding.what
    assert finding.place.line == site.line("master.cf", "-o smtpd_relay")
    assert finding.instead == (
        "  -o { smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination }",
    )


def test_what_no_stranger_reaches(look: Look) -> None:
    service = "inet n - n - - smtpd\n  -o smtpd_relay_restrictions= -o smtpd_recipient_restrictions=defer_if_reject,permit,reject\n"
    assert look("", f"127.0.0.1:10025 {service}localhost:10026 {service}") == []
    assert len(look("", f"10025 {service}")) == 1
    assert look("inet_interfaces = loopback-only\nmynetworks = 0.0.0.0/0\n") == []


def test_a_service_that_would_not_start(look: Look) -> None:
    finding = only(look("smtpd_relay_restrictions = permit_mynetworks\n"))
    assert finding.severity is ERROR
    assert "can't work" in finding.what
    assert "specify at least one working instance" in finding.what
