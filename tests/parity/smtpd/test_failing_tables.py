"""Lists and tables that can't be read or asked: what the client is told, and what the log says."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.kit import processes, requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import Line
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import LENIENT

pytestmark = [pytest.mark.reference, pytest.mark.root]

LINES: list[Line] = [
    "EHLO c", "NOOP", "ETRN ours.example", "VRFY user@ours.example", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>",
    "RCPT TO:<x@relay.example>", "RCPT TO:<x@elsewhere.example>", "RSET",
    "MAIL FROM:<permit@x.test>", "RCPT TO:<user@ours.example>", "DATA", b"x\r\n.\r\n", "RSET", "FOO", "HELO c", "XFORWARD NAME=a",
    "MAIL FROM:<a@x.test> XVERP", "RSET", "XCLIENT NAME=a", "NOOP", "XFORWARD NAME=a", "QUIT",
]  # fmt: skip

LISTS = [
    "mynetworks", "smtpd_client_event_limit_exceptions", "smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts",
    "smtpd_authorized_verp_clients", "smtpd_forbid_bare_newline_exclusions", "debug_peer_list", "smtpd_noop_commands",
    "smtpd_forbidden_commands", "smtpd_log_access_permit_actions", "fast_flush_domains", "mydestination",
    "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains", "permit_mx_backup_networks",
    "local_header_rewrite_clients",
]  # fmt: skip
TABLES = [
    "smtpd_discard_ehlo_keyword_address_maps", "smtpd_command_filter", "virtual_alias_maps", "local_recipient_maps",
    "virtual_mailbox_maps", "relay_recipient_maps", "relocated_maps", "canonical_maps", "recipient_canonical_maps",
    "transport_maps", "smtpd_reject_footer_maps", "smtpd_reject_filter_maps", "smtpd_dns_reply_filter", "smtpd_sender_login_maps",
    "smtpd_milter_maps", "smtpd_sasl_mechanism_filter", "smtpd_client_restrictions",
]  # fmt: skip
OTHER_WAYS = {
    "mynetworks": ("texthash:/no/such/table", "/no/such/file", "mysql:/no/such/file"),
    "local_header_rewrite_clients": ("check_address_map unheard:of", "permit_inet_interfaces", "inline:{127.0.0.1=1}"),
    "smtpd_milter_maps": ("unheard:of", "inline:{127.0.0.1=DISABLE}"),
    "smtpd_sasl_mechanism_filter": ("unheard:of", "no_type"),
    "smtpd_noop_commands": ("unheard:of",),
    "virtual_alias_maps": ("unheard:of",),
    "smtpd_authorized_xclient_hosts": ("texthash:/no/such/table", "/no/such/file"),
    "smtpd_forbidden_commands": ("/no/such/file",),
    "smtpd_command_filter": ("texthash:/no/such/table", "unheard:of"),
    "local_recipient_maps": ("texthash:/no/such/table",),
    "smtpd_client_restrictions": ("no_type", "unheard:of"),
}
"""What can't be opened at all is as good as what can't be asked, and is complained of when the process starts too."""
OPENED_EARLY = [
    "relay_domains", "permit_mx_backup_networks", "smtpd_dns_reply_filter", "smtpd_sender_login_maps", "relay_clientcerts",
    "rbl_reply_maps", "sender_canonical_maps", "recipient_canonical_maps", "canonical_maps", "virtual_alias_maps",
    "virtual_mailbox_maps", "relay_recipient_maps", "mydestination", "smtpd_sasl_exceptions_networks",
    "local_header_rewrite_clients", "smtpd_authorized_verp_clients", "smtpd_reject_footer_maps", "smtpd_reject_filter_maps",
    "smtpd_log_access_permit_actions", "fast_flush_domains", "smtpd_noop_commands", "debug_peer_list",
    "smtpd_client_event_limit_exceptions", "transport_maps", "relocated_maps", "virtual_alias_domains", "alias_maps",
]  # fmt: skip
"""The last four are not smtpd's to open."""
PERMITS = "check_sender_access inline:{permit@x.test=ok}"


def test_each_list(instance_pool: InstancePool) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> None:
        normal = dict(mta.main)
        for name in [*LISTS, *TABLES]:
            for what in ("fail:x", *OTHER_WAYS.get(name, ())):
                mta.transcript.append(f"== {name} = {what}")
                mta.main = dict(normal)
                value = f"check_client_access {what}" if name == "smtpd_client_restrictions" else what
                mta.write_main(**{name: value})
                mta.reload()
                assert processes.wait_until(lambda: not mta.pids_of("smtpd"), 5)
                mark = mta.log_mark()
                mta.dialogue(*LINES, client=STRANGER)
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
                mta.transcript += [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]

    parity(case, main=LENIENT | {"smtpd_sender_restrictions": PERMITS}, replace={"smtpd": "pyfix"}, fresh=True)


def test_openings(instance_pool: InstancePool) -> None:
    """What is opened when the process starts, whether or not a client needs it."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> None:
        normal = dict(mta.main)
        for name in OPENED_EARLY:
            mta.transcript.append(f"== {name}")
            mta.main = dict(normal)
            mta.write_main(**{name: f"texthash:/no/such/{name}"})
            mta.reload()
            assert processes.wait_until(lambda: not mta.pids_of("smtpd"), 5)
            mark = mta.log_mark()
            mta.dialogue("NOOP", "QUIT", client=STRANGER)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            mta.transcript += [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]

    parity(case, main=LENIENT | {"smtpd_authorized_xclient_hosts": ""}, replace={"smtpd": "pyfix"}, fresh=True)


@pytest.mark.parametrize("name", ["virtual_alias_maps", "smtpd_command_filter", "rbl_reply_maps"])
def test_no_type(instance_pool: InstancePool, name: str) -> None:
    """A table without a type keeps smtpd from starting, whenever it would be asked; master waits before the next try."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> None:
        with socket.create_connection((mta.host, mta.port)):
            mta.wait_for_log(r"master\[\d+\]: warning: .*/smtpd: bad command startup -- throttling")

    parity(case, main={name: "no_type"}, replace={"smtpd": "pyfix"}, logs=("smtpd", "master"), fresh=True)
