from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import WARNING, Look, Site, only


@pytest.mark.parametrize(
    "value",
    [
        "permit_mynetworks, reject_unauth_destination, permit",
        "warn_if_reject reject, permit_mynetworks",
        "check_sender_access static:DUNNO, reject",
        "check_policy_service unix:private/reject, reject_unauth_destination",
        "insiders, reject",
        "reject_sender_login_mismatch, reject_authenticated_sender_login_mismatch, permit_sasl_authenticated, reject",
    ],
)
def test_right(look: Look, value: str) -> None:
    classes = "smtpd_restriction_classes = insiders\ninsiders = permit_mynetworks, reject_unauth_destination\n"
    assert look(f"{classes}smtpd_recipient_restrictions = {value}\n") == []


@pytest.mark.parametrize(
    ("value", "unreached", "instead"),
    [
        ("permit_mynetworks, permit, reject", "reject", "permit_mynetworks, reject, permit"),
        ("REJECT permit_mynetworks", "permit_mynetworks", "permit_mynetworks, REJECT"),
        ("defer, sleep 3", "sleep 3", "sleep 3, defer"),
        ("check_client_access static:{ok}, reject", "reject", "reject, check_client_access static:{ok}"),
        ("outsiders, permit_mynetworks", "permit_mynetworks", "permit_mynetworks, outsiders"),
    ],
)
def test_unreachable(look: Look, site: Site, value: str, unreached: str, instead: str) -> None:
    classes = "smtpd_restriction_classes = outsiders\noutsiders = reject_unlisted_sender, reject\n"
    finding = only(look(f"{classes}smtpd_sender_restrictions = {value}\n"))
    assert finding.severity is WARNING
    assert finding.what.endswith(f"is ever asked: {unreached}")
    assert finding.place.line == site.line("main.cf", "smtpd_sender")
    assert finding.instead == (f"smtpd_sender_restrictions = {instead}",)


def test_users_are_permitted_first(look: Look, site: Site) -> None:
    value = "permit_mynetworks,\n permit_sasl_authenticated,\n reject_authenticated_sender_login_mismatch"
    finding = only(look(f"smtpd_sender_restrictions = {value}\n"))
    assert finding.place.line == site.line("main.cf", "login_mismatch")
    assert finding.instead == (
        "smtpd_sender_restrictions = permit_mynetworks, reject_authenticated_sender_login_mismatch, "
        "permit_sasl_authenticated",
    )


def test_options_of_a_service(look: Look, site: Site) -> None:
    option = "  -o smtpd_client_restrictions=permit_sasl_authenticated,reject,reject_unauth_pipelining\n"
    finding = only(look("", f"587 inet n - n - - smtpd\n{option}"))
    assert finding.place.line == site.line("master.cf", "-o smtpd_client")
