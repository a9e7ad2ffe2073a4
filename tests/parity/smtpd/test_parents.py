"""Lists of clients: which match the parents of a name, in tables and in patterns, as parent_domain_matches_subdomains says."""

from __future__ import annotations

import pytest

from tests.kit.smtp import Line

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

ALL = (
    "smtpd_authorized_xclient_hosts smtpd_client_event_limit_exceptions smtpd_authorized_verp_clients relay_domains "
    "smtpd_forbid_bare_newline_exclusions fast_flush_domains virtual_alias_domains mydestination"
)
VALUES = [
    "inline:{x.example=1,.y.example=1}", "x.example, .y.example", "!sub.x.example inline:{x.example=1}",
    "regexp:{{/^x/ 1} {/^.y/ 1}}",
]  # fmt: skip
NAMES = ["x.example", "sub.x.example", "a.sub.x.example", "y.example", "sub.y.example", "dx.example"]
CLIENTS = {
    "smtpd_authorized_xclient_hosts": {},
    "smtpd_authorized_verp_clients": {},
    "smtpd_client_event_limit_exceptions": {"smtpd_client_message_rate_limit": "1"},
    "smtpd_forbid_bare_newline_exclusions": {"smtpd_forbid_bare_newline": "reject"},
}  # fmt: skip
SAID: list[Line] = [
    "EHLO c", "MAIL FROM:<a@b> XVERP", "RSET", "MAIL FROM:<a@b>", "RSET", "MAIL FROM:<a@b>", b"NOOP\n", "QUIT",
]  # fmt: skip


@pytest.mark.parametrize("parents", [ALL, "mynetworks"], ids=["parents", "mynetworks"])
@pytest.mark.parametrize("name", CLIENTS)
def test_clients(same_dialogue: Compare, name: str, parents: str) -> None:
    for value in VALUES:
        trusted = {"smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_authorized_verp_clients": ""}
        changed = {name: f"127.0.0.1, {value}" if "xclient" in name else value}
        main = LENIENT | {"parent_domain_matches_subdomains": parents} | trusted | CLIENTS[name] | changed
        for client in NAMES[:5]:
            again = ["XCLIENT NAME=z ADDR=192.0.2.8"] if "xclient" in name else []
            same_dialogue(f"XCLIENT NAME={client} ADDR=192.0.2.7", *again, *SAID, main=main)


@pytest.mark.parametrize("parents", [ALL, ""], ids=["parents", "none"])
@pytest.mark.parametrize("name", ["relay_domains", "mydestination", "virtual_alias_domains", "fast_flush_domains"])
def test_domains(same_dialogue: Compare, name: str, parents: str) -> None:
    for value in VALUES:
        main = LENIENT | {"parent_domain_matches_subdomains": parents, name: value}
        lines = [f"RCPT TO:<u@{domain}>" for domain in NAMES] + [f"ETRN {domain}" for domain in NAMES]
        same_dialogue("EHLO c", "MAIL FROM:<a@b>", *lines, "QUIT", main=main)
