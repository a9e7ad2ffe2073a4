"""receive_override_options = no_unknown_recipient_checks: what smtpd no longer asks, and what it still does."""

from __future__ import annotations

import pytest

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

LINES = [
    "EHLO c.test", "VRFY nobody@ours.example", "MAIL FROM:<nobody@ours.example>", "RCPT TO:<nobody@ours.example>",
    "RCPT TO:<user@ours.example>", "RCPT TO:<no@alias.example>", "RCPT TO:<x@relay.example>", "RCPT TO:<gone@ours.example>",
    "RCPT TO:<x@elsewhere.example>", "RSET", "MAIL FROM:<a@x.test>", "RCPT TO:<old@ours.example>", "RCPT TO:<nouser>", "QUIT",
]  # fmt: skip
MAIN = LENIENT | {
    "virtual_alias_domains": "alias.example",
    "relay_recipient_maps": "inline:{ok@relay.example=x}",
    "relocated_maps": "inline:{old@ours.example=new@place.example}",
    "transport_maps": "inline:{{gone@ours.example=error:5.9.9 gone}}",
    "local_recipient_maps": "inline:{joe=x}",
}


@pytest.mark.parametrize("options", ["", "no_unknown_recipient_checks", "no_milters, no_unknown_recipient_checks"])
@pytest.mark.parametrize(
    "main",
    [
        {},
        {"smtpd_reject_unlisted_sender": "yes"},
        {"smtpd_sender_restrictions": "reject_unlisted_sender"},
        {"smtpd_recipient_restrictions": "reject_unlisted_recipient, reject_unlisted_sender"},
        {"smtpd_reject_unlisted_recipient": "no", "smtpd_recipient_restrictions": "check_recipient_maps"},
        {"smtpd_data_restrictions": "reject_unlisted_recipient", "smtpd_reject_unlisted_recipient": "no"},
    ],
    ids=str,
)
def test_unlisted(same_dialogue: Compare, main: dict[str, str], options: str) -> None:
    same_dialogue(*LINES, main=MAIN | main | {"receive_override_options": options})
