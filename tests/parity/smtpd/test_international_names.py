"""Names that are not ASCII, good and bad ones, in HELO, sender and recipient: what each restriction that looks at a
name makes of them, and what the log says of those that have no ASCII form."""

from __future__ import annotations

import pytest

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

NAMES = [
    "b\u00fccher.example", "-\u00e9.test", "\u00e9-.test", "a.-\u00e9.b", "\u00e9.-b", "x..\u00e9", "-\u00e9", "--\u00e9",
    "ab--\u00e9.x", "xn--zz.\u00e9", "\u00e9" * 70, "\u00e9", "\u0301a.example", "\u00e9.example.",
]  # fmt: skip
TABLE = "inline:{bad.example=reject}"
HELO = [
    "reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname", "reject_unknown_helo_hostname", f"check_helo_access {TABLE}",
    f"check_helo_a_access {TABLE}", f"check_helo_mx_access {TABLE}", f"check_helo_ns_access {TABLE}", "reject_rhsbl_helo list.example",
]  # fmt: skip
SENDER = [
    "reject_non_fqdn_sender", "reject_unknown_sender_domain", f"check_sender_access {TABLE}", f"check_sender_a_access {TABLE}",
    f"check_sender_mx_access {TABLE}", f"check_sender_ns_access {TABLE}", "reject_rhsbl_sender list.example",
]  # fmt: skip
RECIPIENT = [
    "reject_non_fqdn_recipient", "reject_unknown_recipient_domain", "permit_mx_backup", "reject_unauth_destination",
    f"check_recipient_mx_access {TABLE}", "reject_rhsbl_recipient list.example",
]  # fmt: skip
DNS = {"smtp_dns_support_level": "enabled"}


@pytest.mark.parametrize("restriction", HELO)
def test_helo(same_dialogue: Compare, restriction: str) -> None:
    lines = []
    for name in NAMES:
        for declared in ("", " SMTPUTF8"):
            lines += [f"EHLO {name}", f"MAIL FROM:<a@x.test>{declared}", "RCPT TO:<user@ours.example>", "RSET"]
    same_dialogue(*lines, main=LENIENT | DNS | {"smtpd_helo_restrictions": restriction, "smtpd_recipient_restrictions": "reject"})


@pytest.mark.parametrize("restriction", SENDER)
def test_sender(same_dialogue: Compare, restriction: str) -> None:
    lines = []
    for name in NAMES:
        lines += [f"MAIL FROM:<a@{name}> SMTPUTF8", "RCPT TO:<user@ours.example>", "RSET"]
    same_dialogue("EHLO c.test", *lines, main=LENIENT | DNS | {"smtpd_sender_restrictions": restriction, "smtpd_recipient_restrictions": "reject"})


@pytest.mark.parametrize("restriction", RECIPIENT)
def test_recipient(same_dialogue: Compare, restriction: str) -> None:
    recipients = [f"RCPT TO:<a@{name}>" for name in NAMES]
    main = {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": f"{restriction}, reject"}
    same_dialogue("EHLO c.test", "MAIL FROM:<a@x.test> SMTPUTF8", *recipients, main=LENIENT | DNS | main)
