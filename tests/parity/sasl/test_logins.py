"""What clients that have logged in may do: restrictions by login, and what mail and log show of it."""

from __future__ import annotations

import pytest

from tests.kit.authdouble import encoded
from tests.kit.smtp import Line

from .conftest import Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

LOGINS = """\
joe@ours.example joe
jim@ours.example jim, JOE
both@ours.example jim joe
@owned.example realm@ours.example
plain@mail.ours.example jim
local jim
box+tag@ours.example joe
box@ours.example jim
odd@ours.example ,
"""
OWNERS = {"smtpd_relay_restrictions": "reject_unauth_destination", "smtpd_sender_login_maps": "texthash:{dir}/etc/logins", "recipient_delimiter": "+"}
SENDERS = [
    "joe@ours.example", "jim@ours.example", "both@ours.example", "JOE@OURS.example", "x@owned.example", "plain", "local@mail.ours.example",
    "box+tag@ours.example", "box+other@ours.example", "joe+x@ours.example", "stranger@else.example", "", "odd@ours.example", '"a b"@ours.example',
]  # fmt: skip
TRIED: list[Line] = [line for sender in SENDERS for line in (f"MAIL FROM:<{sender}>", "RCPT TO:<x@elsewhere.example>", "RSET")]


def logged_in(user: str = "joe") -> list[Line]:
    return ["EHLO c", f"AUTH PLAIN {encoded('', user, 'pw')}"]


@pytest.mark.parametrize(
    "restriction",
    [
        "reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch", "reject_known_sender_login_mismatch",
        "reject_unauthenticated_sender_login_mismatch", "warn_if_reject reject_sender_login_mismatch",
    ],
)  # fmt: skip
def test_senders(same_with_dovecot: Compare, restriction: str) -> None:
    main = OWNERS | {"smtpd_sender_restrictions": restriction}
    sessions = [[*logged_in(), *TRIED, "QUIT"], [*logged_in("realm@ours.example"), *TRIED, "QUIT"], ["EHLO c", *TRIED, "QUIT"]]
    same_with_dovecot(sessions, main=main, files={"logins": LOGINS})


@pytest.mark.parametrize("early", ["yes", "no"])
def test_senders_that_nobody_knows(same_with_dovecot: Compare, early: str) -> None:
    main = {
        "smtpd_sender_login_maps": "fail:x",
        "smtpd_delay_reject": early,
        "smtpd_sender_restrictions": "reject_sender_login_mismatch",
    }
    mail: list[Line] = ["MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "QUIT"]
    same_with_dovecot([[*logged_in(), *mail], ["EHLO c", *mail]], main=main)


@pytest.mark.parametrize("place", ["client", "helo", "sender", "recipient", "relay"])
def test_login_in_each_list(same_with_dovecot: Compare, place: str) -> None:
    lists = {f"smtpd_{place}_restrictions": "reject_sender_login_mismatch, permit_sasl_authenticated, reject"}
    mail: list[Line] = ["MAIL FROM:<box@ours.example>", "RCPT TO:<user@ours.example>", "RSET", "MAIL FROM:<joe@ours.example>",
                        "RCPT TO:<user@ours.example>", "QUIT"]  # fmt: skip
    same_with_dovecot([[*logged_in(), *mail], ["EHLO c", *mail]], main=OWNERS | lists, files={"logins": LOGINS})


ACCESS = "joe REJECT no\nrealm@ours.example DISCARD\nours.example REJECT\nrealm@ HOLD\nutf8\u00fc 450 4.7.0 later\nrenamed OK\nsomebody.else OK\n"


@pytest.mark.parametrize("user", ["joe", "realm@ours.example", "utf8\u00fc", "renamed", "later", "control"])
def test_sasl_access(same_with_dovecot: Compare, user: str) -> None:
    main = {"smtpd_recipient_restrictions": "check_sasl_access texthash:{dir}/etc/access, reject_unlisted_recipient", "smtpd_log_access_permit_actions": "static:all"}
    mail: list[Line] = ["MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "QUIT"]
    same_with_dovecot([[*logged_in(user), *mail], ["EHLO c", *mail]], main=main, files={"access": ACCESS})


def test_sasl_access_without_table(same_with_dovecot: Compare) -> None:
    mail: list[Line] = ["MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "QUIT"]
    for argument in ("fail:x", "nothing"):
        same_with_dovecot([[*logged_in(), *mail]], main={"smtpd_recipient_restrictions": f"check_sasl_access {argument}"})


@pytest.mark.parametrize("header", ["yes", "no"])
@pytest.mark.parametrize("user", ["joe", "realm@ours.example", "utf8\u00fc", "control"])
def test_queue_file(same_with_dovecot: Compare, user: str, header: str) -> None:
    main = {"smtpd_sasl_authenticated_header": header, "smtpd_recipient_restrictions": "check_sender_access static:hold"}
    mail: list[Line] = ["MAIL FROM:<a@b.example> AUTH=c+40d", "RCPT TO:<user@ours.example>", "DATA", b"Subject: x\r\n\r\nhi\r\n.\r\n", "QUIT"]
    same_with_dovecot([[*logged_in(user), *mail]], main=main, queue=True)


def test_local_header_rewriting(same_with_dovecot: Compare) -> None:
    main = {"local_header_rewrite_clients": "permit_sasl_authenticated", "smtpd_recipient_restrictions": "check_sender_access static:hold"}
    mail: list[Line] = ["MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "DATA", b"From: x\r\n\r\nhi\r\n.\r\n", "QUIT"]
    same_with_dovecot([[*logged_in(), *mail], ["EHLO c", *mail]], main=main, queue=True)


def test_too_many(same_with_dovecot: Compare) -> None:
    wrong = f"AUTH PLAIN {encoded('', 'bare', 'pw')}"
    same_with_dovecot(
        [["EHLO c", wrong, wrong, wrong, wrong, "NOOP", "QUIT"]],
        main={"smtpd_client_auth_rate_limit": "2", "smtpd_authorized_xclient_hosts": "", "anvil_rate_time_unit": "1h"},
        fresh=True,
    )


def test_errors_in_a_row(same_with_dovecot: Compare) -> None:
    wrong = f"AUTH PLAIN {encoded('', 'bare', 'pw')}"
    main = {"smtpd_soft_error_limit": "1", "smtpd_hard_error_limit": "3"}
    same_with_dovecot([["EHLO c", wrong, wrong, wrong, "NOOP"], ["EHLO c", "AUTH PLAIN", "*", "AUTH PLAIN", "*", "AUTH PLAIN", "*", "NOOP"]], main=main)
