"""Each restriction that smtpd(8) of 3.11 has, alone, in the list of each stage: replies and log lines.

The name in EHLO chooses the restriction, so that one system has them all.  What the DNS says is in
test_dns_restrictions.py, lists of several in test_lists_at_random.py.  Source: postconf(5) of each name.
"""

from __future__ import annotations

import re

import pytest

from pyfix.access.restrictions import RESTRICTIONS
from tests.kit.instance import Instance
from tests.kit.smtp import Line

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

ANYWHERE = (
    "permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "warn_if_reject reject", "warn_if_reject",
    "reject_unauth_pipelining", "check_policy_service inet:127.0.0.1:9", "sleep 0", "reject_plaintext_session", "permit_mynetworks",
    "permit_inet_interfaces", "permit_sasl_authenticated", "permit_tls_clientcerts", "permit_tls_all_clientcerts",
    "reject_multi_recipient_bounce", "check_ccert_access static:reject", "check_sasl_access static:reject",
)  # fmt: skip
CLIENT = (
    "reject_unknown_client_hostname", "reject_unknown_client", "reject_unknown_reverse_client_hostname",
    "check_client_access static:reject", "check_reverse_client_hostname_access static:reject",
    "reject_rbl_client list.example", "reject_rbl list.example", "reject_rhsbl_client list.example",
    "reject_rhsbl_reverse_client list.example", "permit_dnswl_client list.example", "permit_rhswl_client list.example",
    "check_client_a_access static:reject", "check_client_mx_access static:reject", "check_client_ns_access static:reject",
    "check_reverse_client_hostname_a_access static:reject", "check_reverse_client_hostname_mx_access static:reject",
    "check_reverse_client_hostname_ns_access static:reject",
)  # fmt: skip
HELO = (
    "check_helo_access static:reject", "reject_invalid_helo_hostname", "reject_invalid_hostname", "reject_unknown_helo_hostname",
    "reject_unknown_hostname", "reject_non_fqdn_helo_hostname", "reject_non_fqdn_hostname", "check_helo_a_access static:reject",
    "check_helo_mx_access static:reject", "check_helo_ns_access static:reject", "reject_rhsbl_helo list.example",
)  # fmt: skip
SENDER = (
    "check_sender_access static:reject", "reject_non_fqdn_sender", "reject_unknown_sender_domain", "reject_unknown_address",
    "reject_unlisted_sender", "reject_unverified_sender", "reject_rhsbl_sender list.example", "reject_sender_login_mismatch",
    "reject_known_sender_login_mismatch", "reject_authenticated_sender_login_mismatch", "reject_unauthenticated_sender_login_mismatch",
    "check_sender_a_access static:reject", "check_sender_mx_access static:reject", "check_sender_ns_access static:reject",
)  # fmt: skip
RECIPIENT = (
    "check_recipient_access static:reject", "reject_unauth_destination", "defer_unauth_destination", "permit_auth_destination",
    "permit_mx_backup", "reject_non_fqdn_recipient", "reject_unknown_recipient_domain", "reject_unlisted_recipient",
    "check_recipient_maps", "reject_unverified_recipient", "reject_rhsbl_recipient list.example",
    "check_recipient_a_access static:reject", "check_recipient_mx_access static:reject", "check_recipient_ns_access static:reject",
)  # fmt: skip
ETRN = ("check_etrn_access static:reject",)
GONE = ("reject_unknown_forward_client_hostname", "permit_naked_ip_address", "reject_maps_rbl", "check_relay_domains")
TABLES = ("static:reject", "static:OK", "inline:{x=y}")
"""A table alone stands for check_STAGE_access."""
EACH = (*ANYWHERE, *CLIENT, *HELO, *SENDER, *RECIPIENT, *ETRN, *GONE, *TABLES)
STAGES = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data", "etrn")


def test_none_is_left_out() -> None:
    """The table of names, and what is tried here, are the same but for the names that are gone."""
    tried = {restriction.split()[0] for restriction in EACH if restriction not in TABLES}
    assert tried - set(GONE) == {*RESTRICTIONS, "warn_if_reject"}
    assert len(EACH) * len(STAGES) >= 600


@pytest.mark.parametrize(
    ("stage", "delay"), [*((stage, "yes") for stage in STAGES), ("client", "no"), ("helo", "no"), ("sender", "no")]
)
def test_alone(parity_of_smtpd: Compare, stage: str, delay: str) -> None:
    classes = {f"r{number}": restriction for number, restriction in enumerate(EACH)}
    chosen = ", ".join(f"{{c{number}.helo.example={name}}}" for number, name in enumerate(classes))
    main = LENIENT | classes | {
        "smtpd_restriction_classes": " ".join(classes),
        "smtpd_relay_restrictions": "check_client_access static:OK, reject",
        f"smtpd_{stage}_restrictions": f"check_helo_access inline:{{{chosen}}}{', reject' if stage in STAGES[:5] else ''}",
        "smtpd_delay_reject": delay,
        "smtpd_sender_login_maps": "inline:{known@x.example=joe}",
        "smtpd_policy_service_try_limit": "1",
        "smtpd_policy_service_timeout": "1s",
        "address_verify_poll_count": "1",
        "address_verify_poll_delay": "1s",
        "unverified_sender_defer_code": "450",
    }  # fmt: skip
    lines: list[Line] = []
    for number in range(len(EACH)):
        lines.append(f"EHLO c{number}.helo.example")
        if stage == "etrn":
            lines.append("ETRN ours.example")
            continue
        lines += ["MAIL FROM:<known@x.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<x@elsewhere.example>"]
        if stage in ("data", "end_of_data"):
            lines += ["DATA", b".\r\n"]
        lines.append("RSET")

    def case(mta: Instance) -> None:
        mta.dialogue(*lines)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
        # Queue ids are given by other programs in no order that these lines have.
        said = [line.partition("]: ")[2] for line in mta.log_lines() if "/smtpd[" in line]
        mta.transcript += [re.sub(r"^[0-9A-F]{8,}: ", "ID: ", text) for text in said if ": client=" not in text]

    parity_of_smtpd(case, main=main, logs=False)
