"""Parameters of main.cf that change what restrictions make of the DNS's answers: filters, protocols, codes, networks, stages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance

from .conftest import LENIENT, Compare
from .dnsnames import SCRIPTS, TABLES, ZONES

pytestmark = [pytest.mark.reference, pytest.mark.root]


@pytest.fixture(scope="module")
def world() -> Iterator[DnsWorld]:
    with DnsWorld(ZONES, SCRIPTS) as world:
        yield world


FILTERED = [
    ("host.example", "/ A 192.0.2.1$/ IGNORE"), ("mxonly.example", "/ MX 10 / IGNORE"), ("twomx.example", "/mx1/ ignore"),
    ("twomx.example", "/mx2/ DROP"), ("host.example", "/./ IGNORE"), ("null.example", "/./ IGNORE"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule"), FILTERED, ids=str)
def test_reply_filter(parity_of_smtpd: Compare, world: DnsWorld, name: str, rule: str) -> None:
    """What smtpd_dns_reply_filter takes away is not there, for all restrictions."""
    main = LENIENT | {
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_dns_reply_filter": "regexp:{dir}/etc/filter",
        "smtpd_restriction_classes": "domain, helo, exchangers, list",
        "domain": "reject_unknown_sender_domain",
        "helo": "reject_unknown_helo_hostname",
        "exchangers": "check_sender_mx_access texthash:{dir}/etc/byaddress",
        "list": "reject_rhsbl_helo dbl.example",
        "smtpd_recipient_restrictions": "check_recipient_access texthash:{dir}/etc/choice",
    }
    choice = "".join(f"{word}@ours.example {word}\n" for word in ("domain", "helo", "exchangers", "list"))

    def case(mta: Instance) -> None:
        for word in ("domain", "helo", "exchangers", "list"):
            mta.dialogue(f"EHLO {name}", f"MAIL FROM:<u@{name}>", f"RCPT TO:<{word}@ours.example>", "QUIT")
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=4)

    files = {"filter": rule + "\n", "choice": choice, "byaddress": TABLES["byaddress"]}
    parity_of_smtpd(case, main=main, files=files, mounts=world.mounts)


@pytest.mark.parametrize("protocols", ["all", "ipv6, ipv4", "ipv4"])
def test_ipv6(parity_of_smtpd: Compare, world: DnsWorld, protocols: str) -> None:
    """Clients and servers with IPv6 addresses, where that protocol is in use and where not."""
    main = LENIENT | {
        "inet_protocols": protocols,
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_relay_restrictions": "check_client_access static:OK, reject_unauth_destination",
        "smtpd_recipient_restrictions": "check_helo_a_access inline:{2001:db8::6=reject}, reject_rbl_client bl.example, "
        "permit_mx_backup, check_helo_mx_access inline:{2001:db8::6=reject}",
    }

    def case(mta: Instance) -> None:
        for address in ("2001:db8::9", "2001:db8::10"):
            for name in ("only6.example", "only6mx.example", "host.example", "[IPv6:2001:db8::6]"):
                xclient = f"XCLIENT ADDR=IPV6:{address} NAME=six.example"
                mta.dialogue(xclient, f"EHLO {name}", "MAIL FROM:<a@b.c>", "RCPT TO:<u@ours.example>", "QUIT")
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=8)

    parity_of_smtpd(case, main=main, mounts=world.mounts)


@pytest.mark.parametrize("own", [{}, {"unknown_address_tempfail_action": "defer_if_permit"}], ids=["", "sender"])
def test_other_codes(parity_of_smtpd: Compare, world: DnsWorld, own: dict[str, str]) -> None:
    """The codes and actions that main.cf may choose."""
    words = ("domain",) if own else ("domain", "helo", "client", "list")
    clients = ("127.0.0.2",) if own else ("127.0.0.2", "127.0.0.3", "127.0.0.5")
    main = LENIENT | {
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_peername_lookup": "yes",
        "unknown_address_reject_code": "554",
        "unknown_hostname_reject_code": "502",
        "unknown_client_reject_code": "550",
        "maps_rbl_reject_code": "451",
        "reject_tempfail_action": "defer",
        "unknown_helo_hostname_tempfail_action": "defer_if_permit",
        "default_rbl_reply": "$$rbl_code [$$rbl_what] is on $$rbl_domain$${rbl_reason?: $$rbl_reason}",
        "smtpd_restriction_classes": "domain, helo, client, list",
        "domain": "reject_unknown_sender_domain, reject",
        "helo": "reject_unknown_helo_hostname, reject",
        "client": "reject_unknown_client_hostname",
        "list": "reject_rbl_client bl.example",
        "smtpd_recipient_restrictions": "check_recipient_access texthash:{dir}/etc/choice",
    }

    def case(mta: Instance) -> None:
        for name in ("missing.example", "servfail.example", "null.example", "badmx.example"):
            for word in words:
                for client in clients:
                    lines = [f"EHLO {name}", f"MAIL FROM:<u@{name}>", f"RCPT TO:<{word}@ours.example>", "QUIT"]
                    mta.dialogue(*lines, client=client)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=4 * len(words) * len(clients))

    choice = "".join(f"{word}@ours.example {word}\n" for word in words)
    parity_of_smtpd(case, main=main | own, files={"choice": choice}, mounts=world.mounts)


@pytest.mark.parametrize("networks", ["192.0.2.0/28", "!192.0.2.10 0.0.0.0/0", "mx1.servers.example", "203.0.113.0/24"])
def test_backup_networks(parity_of_smtpd: Compare, world: DnsWorld, networks: str) -> None:
    main = LENIENT | {
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_relay_restrictions": "check_client_access static:OK, reject_unauth_destination",
        "smtpd_recipient_restrictions": "permit_mx_backup, reject",
        "permit_mx_backup_networks": networks,
    }

    def case(mta: Instance) -> None:
        names = ("backup.example", "byaddress.example", "other.example", "lostus.example", "lostbackup.example", "ours.example")
        for name in names:
            mta.dialogue("EHLO c.test", "MAIL FROM:<a@b.c>", f"RCPT TO:<u@{name}>", "QUIT")
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=len(names))

    parity_of_smtpd(case, main=main, mounts=world.mounts)


@pytest.mark.parametrize(
    "restrictions",
    ["reject_unknown_client_hostname", "reject_rbl_client bl.example", "check_client_mx_access texthash:{dir}/etc/byname",
     "reject_unknown_helo_hostname, reject_rhsbl_helo dbl.example"],
)  # fmt: skip
@pytest.mark.parametrize("delay", ["yes", "no"])
def test_etrn_and_no_delay(parity_of_smtpd: Compare, world: DnsWorld, restrictions: str, delay: str) -> None:
    """ETRN has a list of its own; without smtpd_delay_reject clients are judged as they connect."""
    main = LENIENT | {"smtpd_peername_lookup": "yes", "smtpd_delay_reject": delay, "smtpd_etrn_restrictions": restrictions}
    if delay == "no":
        main |= {"smtpd_client_restrictions" if "helo" not in restrictions else "smtpd_helo_restrictions": restrictions}

    def case(mta: Instance) -> None:
        for client in ("127.0.0.2", "127.0.0.3", "127.0.0.5"):
            for helo in ("missing.example", "host.example", "servfail.example"):
                mta.dialogue(f"EHLO {helo}", "ETRN ours.example", "MAIL FROM:<a@b.c>", "RCPT TO:<user@ours.example>", "QUIT", client=client)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=9)

    parity_of_smtpd(case, main=main, files={"byname": TABLES["byname"]}, mounts=world.mounts)
