"""Parameters that choose a reply code, all with values that no default has, and some that choose what is looked up.

Source: postconf(5), each parameter of CODES.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

CODES = {
    "access_map_reject_code": "540", "access_map_defer_code": "440", "invalid_hostname_reject_code": "541",
    "non_fqdn_reject_code": "542", "reject_code": "543", "defer_code": "443", "relay_domains_reject_code": "544",
    "multi_recipient_bounce_reject_code": "545", "unknown_local_recipient_reject_code": "546",
    "unknown_relay_recipient_reject_code": "547", "unknown_virtual_alias_reject_code": "548",
    "unknown_virtual_mailbox_reject_code": "549",
}  # fmt: skip
MAIN = LENIENT | CODES | {
    "smtpd_null_access_lookup_key": "nobody@nowhere",
    "smtpd_restriction_classes": "by_sender, refusing, deferring",
    "refusing": "reject",
    "deferring": "defer",
    "by_sender": "check_sender_access inline:{ {nobody@nowhere=REJECT the null sender} {<>=REJECT the wrong key} }",
    "local_recipient_maps": "inline:{known=x}",
    "relay_recipient_maps": "inline:{known@relay.example=x}",
    "transport_maps": "inline:{error@mail.ours.example=error:no, error@relay.example=error:no, error@ours.example=error:no, error@far.example=error:no}",
    "virtual_alias_domains": "alias.example",
    "virtual_alias_maps": "inline:{known@alias.example=user@ours.example}",
    "smtpd_relay_restrictions": "check_recipient_access regexp:{{/^(r[0-9]+|error)@/ OK}}, reject_unauth_destination",
    "smtpd_recipient_restrictions": "check_recipient_access inline:{ "
    "{r1@far.example=REJECT} {r2@far.example=DEFER} {r3@far.example=reject_invalid_helo_hostname} {r4@far.example=reject_non_fqdn_helo_hostname} "
    "{r5@far.example=reject_non_fqdn_sender} {r6@far.example=refusing} {r7@far.example=deferring} {r8@far.example=by_sender} "
    "{r9@far.example=reject_non_fqdn_recipient} {r10@far.example=reject_multi_recipient_bounce} "
    "{r11@far.example=DEFER_IF_PERMIT} {r12@far.example=DEFER_IF_REJECT, reject} {r13@far.example=reject_unauth_pipelining} }, permit",
}  # fmt: skip
RECIPIENTS = (
    *(f"r{number}@far.example" for number in range(1, 14)),
    "c@far.example", "known@mail.ours.example", "nosuch@mail.ours.example", "known@relay.example", "nosuch@relay.example",
    "known@alias.example", "nosuch@alias.example", "user@ours.example", "nosuch@ours.example",
    "error@mail.ours.example", "error@relay.example", "error@ours.example", "error@far.example",
)  # fmt: skip


def test_codes(parity_of_smtpd: Compare) -> None:
    def case(mta: Instance) -> None:
        commands = [f"RCPT TO:<{recipient}>" for recipient in RECIPIENTS]
        for helo, sender in (("client.example", "a@client.example"), ("bad_-name-", "a@client"), ("short", "")):
            mta.dialogue(f"EHLO {helo}", f"MAIL FROM:<{sender}>", *commands, "QUIT")

    seen = parity_of_smtpd(case, main=MAIN)
    said = "\n".join(seen.transcript)
    assert not [name for name, code in CODES.items() if f"{code} " not in said]
    assert "the null sender" in said and "the wrong key" not in said


@pytest.mark.parametrize("length", ["32", "24", "0"])
def test_clients_of_one_network(parity_of_smtpd: Compare, length: str) -> None:
    """smtpd_client_ipv4_prefix_length: limits count the clients of a network together."""

    def case(mta: Instance) -> None:
        for count, client in enumerate(("127.0.1.3", "127.0.1.4", "127.0.2.3", "127.0.1.3"), 1):
            with mta.connect(client) as dialogue:
                mta.transcript.append(dialogue.greeting)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=count)

    main = LENIENT | {"smtpd_client_connection_rate_limit": "1", "smtpd_client_event_limit_exceptions": "", "smtpd_client_ipv4_prefix_length": length}
    seen = parity_of_smtpd(case, main=main)
    assert sum("421" in greeting for greeting in seen.transcript) == {"32": 1, "24": 2, "0": 3}[length]
