from __future__ import annotations

import pytest

from pyfix.commands.postfix.doctor.rehearsal import Attempt, Rehearsal, without_servers
from pyfix.runtime.log import log
from tests.unit.commands.postfix.doctor.conftest import Site

STRANGER = Attempt("198.51.100.77", "mail.stranger.example", "a@stranger.example", "b@elsewhere.example")
FRIEND = Attempt("127.0.0.9", "mail.stranger.example", "a@stranger.example", "b@elsewhere.example")


def rehearse(site: Site, main: str = "") -> Rehearsal:
    site.write(main)
    examination = site.examination()
    return Rehearsal(examination.services[0].snapshot, examination.snapshot)


def test_replies_are_those_of_smtpd(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = rehearse(site)
    refusal, permit = rehearsal.reply(STRANGER)
    assert refusal is not None
    assert refusal.reply == "454 4.7.1 <b@elsewhere.example>: Relay access denied"
    assert permit == ""
    assert rehearsal.reply(FRIEND) == (None, "permit_mynetworks")


def test_nothing_is_logged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = rehearse(site)
    sent: list[bytes] = []
    monkeypatch.setattr(log, "_send", sent.append)
    monkeypatch.setattr(log, "_address", "/nowhere")
    rehearsal.reply(STRANGER)
    rehearsal.destination(STRANGER)
    assert sent == []
    log.info("now it is")
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("main", "said"),
    [
        ("smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n", "Client host rejected"),
        ("smtpd_delay_reject = no\nsmtpd_helo_restrictions = reject\n", "Helo command rejected"),
        ("smtpd_delay_reject = no\nsmtpd_sender_restrictions = reject\n", "Sender address rejected"),
        ("smtpd_client_restrictions = reject_unknown_client_hostname, reject\n", "Client host rejected"),
        ("smtpd_data_restrictions = reject\n", "Data command rejected"),
        ("smtpd_end_of_data_restrictions = reject\n", "End-of-data rejected"),
        ("smtpd_recipient_restrictions = check_sender_access inline:{{stranger.example=DISCARD}}\n", "discarded"),
        ("smtpd_recipient_restrictions = check_sender_access hash:/does/not/exist\n", "Server configuration error"),
        ("smtpd_recipient_restrictions = permit_mynetwork\n", "Server configuration error"),
    ],
)
def test_each_stage(site: Site, main: str, said: str) -> None:
    refusal, _ = rehearse(site, "smtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination\n" + main).reply(
        FRIEND if "permit_mynetworks" not in main else STRANGER
    )
    assert refusal is not None
    assert said in refusal.text


def test_what_asks_others_has_no_opinion(site: Site) -> None:
    main = (
        "smtpd_client_restrictions = reject_rbl_client a.example, warn_if_reject reject_unknown_client_hostname, mine\n"
        "smtpd_restriction_classes = mine\nmine = check_policy_service { inet:h:1, timeout=1s }, theirs_too\n"
        "smtpd_helo_restrictions = check_helo_access inline:{{mail.stranger.example = reject_unverified_sender}}\n"
        "smtpd_sender_restrictions = check_sender_access mysql:/x, sleep 100, reject_unverified_sender\n"
    ).replace(", theirs_too", "")
    rehearsal = rehearse(site, main)
    assert rehearsal.reply(FRIEND) == (None, "permit_mynetworks")


def test_tables_on_servers(site: Site) -> None:
    site.write("mydestination = proxy:mysql:/x, b.example\nalias_maps = proxy:hash:/a ldap:b\nrelayhost = [tcp.example]\n")
    snapshot = without_servers(site.examination().snapshot)
    assert snapshot.value("mydestination") == "internal:nothing, b.example"
    assert snapshot.value("alias_maps") == "hash:/a internal:nothing"
    assert snapshot.value("relayhost") == "[tcp.example]"
    assert snapshot.value("local_recipient_maps") == "unix:passwd.byname hash:/a internal:nothing"


def test_destination(site: Site) -> None:
    rehearsal = rehearse(site, "transport_maps = inline:{elsewhere.example=relay:[x]}\n")
    found = rehearsal.destination(STRANGER)
    assert found is not None
    assert (found.transport, found.nexthop, found.recipient) == ("relay", "[x]", "b@elsewhere.example")


def test_address_classes_are_those_of_trivial_rewrite(site: Site) -> None:
    site.write("", "9 inet n - n - - smtpd\n  -o relay_domains=elsewhere.example -o rewrite_service_name=other\n")
    examination = site.examination()
    service = examination.services[-1]
    assert examination.rewriting(service.snapshot) is examination.snapshot
    assert Rehearsal(service.snapshot, examination.rewriting(service.snapshot)).reply(STRANGER)[0] is not None
    site.write("", "9 inet n - n - - smtpd\n  -o rewrite_service_name=other\n"
               "other unix - - n - - trivial-rewrite\n  -o relay_domains=elsewhere.example\n")
    examination = site.examination()
    service = examination.services[-2]
    assert Rehearsal(service.snapshot, examination.rewriting(service.snapshot)).reply(STRANGER)[0] is None


def test_keys_that_are_permitted(site: Site) -> None:
    main = (
        "smtpd_restriction_classes = mine\nmine = check_sender_access inline:{{a.example=OK}, {b.example=REJECT no}}\n"
        "smtpd_sender_restrictions = mine, check_sender_access inline:{c.example=permit, d@=1}, check_helo_access static:OK\n"
    )
    rehearsal = rehearse(site, main)
    assert list(rehearsal.permitted_keys("check_sender_access")) == ["a.example", "c.example", "d@"]
    assert list(rehearsal.permitted_keys("check_helo_access")) == []
