"""Restrictions that ask the DNS: the same answers, or none, for both sides; replies and log lines are the same.

All cases share one running system on each side.  Each has a restriction class of its own, which the recipient or the
sender of the case chooses in the list of its stage.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.kit import processes
from tests.kit.dnsdouble import garbage, raw_records, rcode, silence
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.smtp import Line

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

ZONES = {
    ".": """
    2.0.0.127.in-addr.arpa PTR good.client.example.
    good.client.example A 127.0.0.2
    3.0.0.127.in-addr.arpa PTR forged.client.example.
    forged.client.example A 127.0.0.99
    4.0.0.127.in-addr.arpa PTR dangling.client.example.
    6.0.0.127.in-addr.arpa PTR slow.client.example.
    7.0.0.127.in-addr.arpa PTR 192.0.2.7.
    8.0.0.127.in-addr.arpa PTR -bad-.client.example.
    9.0.0.127.in-addr.arpa PTR listed.client.example.
    listed.client.example A 127.0.0.9
    9.0.0.127.in-addr.arpa PTR second.client.example.
    good.client.example MX 10 mx1.servers.example.
    host.example A 192.0.2.1
    only6.example AAAA 2001:db8::6
    mxonly.example MX 10 mx1.servers.example.
    textonly.example TXT "nothing else"
    alias.example CNAME host.example.
    nowhere.alias.example CNAME missing.example.
    loop1.example CNAME loop2.example.
    loop2.example CNAME loop1.example.
    null.example MX 0 .
    nulltoo.example MX 10 .
    nulltoo.example A 192.0.2.3
    badmx.example MX 10 -bad-.example.
    badmx.example A 192.0.2.4
    numericmx.example MX 10 192.0.2.55.
    mx1.servers.example A 192.0.2.10
    mx2.servers.example A 192.0.2.20
    twomx.example MX 10 mx1.servers.example.
    twomx.example MX 20 mx2.servers.example.
    lostmx.example MX 10 nohost.servers.example.
    lostmx.example MX 20 mx2.servers.example.
    sub.zone.example A 192.0.2.30
    zone.example NS ns1.servers.example.
    ns1.servers.example A 192.0.2.40
    backup.example MX 10 mx1.servers.example.
    backup.example MX 20 mail.ours.example.
    mail.ours.example A 127.0.0.1
    byaddress.example MX 10 mx1.servers.example.
    byaddress.example MX 20 us.servers.example.
    us.servers.example A 127.0.0.1
    self.example A 127.0.0.1
    other.example MX 10 mx1.servers.example.
    lostus.example MX 20 slow.servers.example.
    lostbackup.example MX 10 slow.servers.example.
    lostbackup.example MX 20 mail.ours.example.
    2.0.0.127.bl.example A 127.0.0.2
    2.0.0.127.bl.example TXT "listed for a reason"
    2.0.0.127.two.bl.example A 127.0.0.2
    2.0.0.127.two.bl.example A 127.0.0.10
    2.0.0.127.two.bl.example TXT "first " "text"
    2.0.0.127.two.bl.example TXT "second"
    2.0.0.127.bare.bl.example A 127.0.0.4
    2.0.0.127.odd.bl.example A 10.0.0.1
    2.0.0.127.wl.example A 127.0.1.1
    2.0.0.127.long.bl.example A 127.0.0.2
    9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example A 127.0.0.2
    only6mx.example MX 5 only6.example.
    good.client.example.dbl.example A 127.0.1.2
    forged.client.example.dbl.example A 127.0.1.2
    host.example.dbl.example A 127.0.1.4
    host.example.dbl.example TXT "domain is listed %s $rbl_what"
    ours.example.dbl.example A 127.0.1.2
    good.client.example.dwl.example A 127.0.1.2
    """
    + "".join(f"2.0.0.127.map{number}.bl.example A 127.0.0.2\n" for number in range(20))
    + "2.0.0.127.map1.bl.example TXT \"said \\\"so\\\"\"\n2.0.0.127.map7.bl.example TXT x\n"
    + "2.0.0.127.long.bl.example TXT "
    + " ".join(['"' + "x" * 200 + '"'] * 4)
    + "\n",
    "zone.example": "@ NS ns1.servers.example.\n@ A 192.0.2.31\nsub A 192.0.2.30\n@ MX 5 mx2.servers.example.",
}
SCRIPTS = {
    "5.0.0.127.in-addr.arpa": rcode("SERVFAIL"),
    "slow.client.example": rcode("SERVFAIL"),
    "servfail.example": rcode("SERVFAIL"),
    "refused.example": rcode("REFUSED"),
    "formerr.example": rcode("FORMERR"),
    "silent.example": silence,
    "garbage.example": garbage,
    "short.example": raw_records(("short.example", "A", b"\1\2\3")),
    "mxfail.example/MX": rcode("SERVFAIL"),
    "mxfail.example/A": raw_records(("mxfail.example", "A", b"\xc0\0\2\5")),
    "afail.example/A": rcode("SERVFAIL"),
    "slow.servers.example": rcode("SERVFAIL"),
    # Each is asked once: what a list does not say is remembered, by the reference as long as its process lives.
    "2.0.0.127.fail.bl.example": rcode("SERVFAIL"),
    "2.0.0.127.fail2.bl.example": rcode("SERVFAIL"),
    "2.0.0.127.fail3.bl.example": rcode("SERVFAIL"),
    "2.0.0.127.notext.bl.example/A": raw_records(("2.0.0.127.notext.bl.example", "A", b"\x7f\0\0\2")),
    "2.0.0.127.notext.bl.example/TXT": rcode("SERVFAIL"),
}
REPLIES = (
    "521 5.7.99 no $client_name", "$rbl_code $rbl_domain $rbl_reason $rbl_txt $rbl_what $rbl_class", "no code", "250 x",
    "554 4.7.9 wrong class", "554", "554 ", "554 ${rbl_reason?{why: $rbl_reason}:{no reason}} ${nothing}", "554 ${rbl_what",
    "$rbl_code $client $client_address $helo_name $reverse_client_name $server_name $sender $sender_name "
    "$sender_domain $recipient $recipient_name $recipient_domain",
    "450 later", "554 5.7.1   blanks", "$rbl_code 5.7.1 $$ done",
)  # fmt: skip
"""What rbl_reply_maps says of map0.bl.example and so on."""
TABLES = {
    "rbl_replies": "".join(
        f"map{number}.bl.example {text}\n"
        for number, text in enumerate(REPLIES)
    )
    + "two.bl.example 550 5.9.9 two, not one of them\ntwo.bl.example=127.0.0.10 450 ten\n",
    "byaddress": "192.0.2 REJECT address of ours\n192.0.2.10 554 5.7.9 mail exchanger\n127.0.0 DUNNO\n",
    "byname": "mx1.servers.example REJECT bad exchanger\nmx2.servers.example OK\nservers.example DEFER parent\n"
    "host.example HOLD\n",
    "permits": "mx1.servers.example OK\nns1.servers.example permit\n192.0.2.1 1\nservers.example DISCARD gone\n",
}


@pytest.fixture(scope="module")
def world() -> Iterator[DnsWorld]:
    with DnsWorld(ZONES, SCRIPTS) as world:
        yield world


@dataclass(frozen=True)
class Case:
    """One session: which restrictions, and who says what."""

    list: str
    client: str = "127.0.0.2"
    helo: str = "host.example"
    sender: str = "user@host.example"
    recipient: str = ""
    """By default one that chooses the list; otherwise the sender's localpart does."""
    stage: str = "recipient"


def unknown(name: str, *values: str, **more: str) -> list[Case]:
    """Return a case for each value of what the restriction looks at."""
    key = "helo" if "helo" in name or name == "reject_unknown_hostname" else "sender"
    if "recipient" in name:
        return [Case(name, recipient=value) for value in values]
    return [Case(name, **{key: value}, **more) for value in values]  # type: ignore[arg-type]  # keywords of any type


NAMES = (
    "host.example", "only6.example", "mxonly.example", "textonly.example", "missing.example", "alias.example",
    "nowhere.alias.example", "loop1.example", "null.example", "nulltoo.example", "badmx.example", "numericmx.example",
    "servfail.example", "refused.example", "formerr.example", "garbage.example", "short.example", "mxfail.example",
    "afail.example", "a..b", "-x.example", "[192.0.2.1]", "192.0.2.1", "\u00fcml.example", "zone.example",
)  # fmt: skip
CLIENTS = [f"127.0.0.{number}" for number in range(2, 11)]
BY_CLIENT = ("reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname")
SERVERS = (
    "host.example", "twomx.example", "lostmx.example", "missing.example", "null.example", "servfail.example",
    "badmx.example", "numericmx.example", "sub.zone.example", "zone.example", "mxfail.example", "[192.0.2.10]",
    "192.0.2.10", "alias.example", "afail.example", "[bad]", "[IPv6:2001:db8::6]",
)  # fmt: skip

CASES: list[Case] = [
    *[Case(name, client=client) for name in BY_CLIENT for client in CLIENTS],
    Case("reject_unknown_client", client="127.0.0.3"),
    Case("reject_unknown_forward_client_hostname", client="127.0.0.3"),
    *unknown("reject_unknown_helo_hostname", *NAMES),
    *unknown("reject_unknown_hostname", "missing.example"),
    *unknown("reject_unknown_sender_domain", *[f"user@{name}" for name in NAMES], "", "user", "user@ours.example"),
    *unknown("reject_unknown_address", "user@missing.example"),
    *unknown(
        "reject_unknown_recipient_domain",
        *[f"user@{name}" for name in NAMES if name != "\u00fcml.example"],
        "user@ours.example",
    ),
    *[
        Case(f"check_helo_{kind}_access {{table}}", helo=name)
        for kind in ("a", "mx", "ns")
        for name in SERVERS
    ],
    *[
        Case(f"check_sender_{kind}_access {{table}}", sender=f"user@{name}")
        for kind in ("a", "mx", "ns")
        for name in (*SERVERS[:4], "[192.0.2.10]", "")
    ],
    *[
        Case(f"check_recipient_{kind}_access {{table}}", recipient=f"user@{name}")
        for kind in ("a", "mx", "ns")
        for name in SERVERS[:4]
    ],
    *[
        Case(f"check_{name}_{kind}_access {{table}}", client=client)
        for name in ("client", "reverse_client_hostname")
        for kind in ("a", "mx", "ns")
        for client in ("127.0.0.2", "127.0.0.3", "127.0.0.10")
    ],
    *[
        Case(f"check_helo_{kind}_access {{permits}}, reject", helo=name)
        for kind in ("a", "mx", "ns")
        for name in ("host.example", "twomx.example", "zone.example", "lostmx.example")
    ],
    Case("check_helo_mx_access"),
    Case("check_helo_mx_access nothing"),
    *[
        Case(f"reject_rbl_client {name}")
        for name in (
            "bl.example", "two.bl.example", "bare.bl.example", "odd.bl.example", "long.bl.example", "notext.bl.example",
            "fail.bl.example", "none.bl.example", "two.bl.example=127.0.0.10", "two.bl.example=127.0.0.[3..9]",
            "two.bl.example=127.0.0.[1..1;2]", "two.bl.example=127.0.[0..255].[3;10]",
        )
    ],
    *[Case(f"reject_rbl_client map{number}.bl.example") for number in range(len(REPLIES))],
    Case("reject_rbl_client map9.bl.example", sender="", helo="h\u00e9lo"),
    Case("reject_rbl bl.example"),
    Case("reject_rbl_client bl.example", client="127.0.0.3"),
    Case("reject_rbl_client"),
    Case("reject_rbl_client fail2.bl.example, reject_rbl_client bl.example"),
    *[Case("reject_rhsbl_client dbl.example", client=client) for client in ("127.0.0.2", "127.0.0.3", "127.0.0.10")],
    *[Case("reject_rhsbl_reverse_client dbl.example", client=client) for client in ("127.0.0.2", "127.0.0.3")],
    *[
        Case("reject_rhsbl_helo dbl.example", helo=helo)
        for helo in ("host.example", "missing.example", "[192.0.2.1]", "192.0.2.1", "a.1", "a..b")
    ],
    *[
        Case("reject_rhsbl_sender dbl.example", sender=sender)
        for sender in ("user@host.example", "", "user@[192.0.2.1]", "user", "user@servfail.example")
    ],
    Case("reject_rhsbl_recipient dbl.example", recipient="user@host.example"),
    Case("reject_rhsbl_recipient dbl.example=127.0.1.2", recipient="user@host.example"),
    Case("reject_rhsbl_recipient dbl.example", recipient="user@ours.example"),
    *[
        Case(f"{name}, reject", client=client)
        for name in (
            "permit_dnswl_client wl.example", "permit_dnswl_client bl.example=127.0.0.3", "permit_rhswl_client dwl.example",
            "permit_dnswl_client fail3.bl.example", "permit_dnswl_client",
        )
        for client in ("127.0.0.2", "127.0.0.3")
    ],
    Case("permit_dnswl_client wl.example, reject", recipient="user@host.example"),
    *[
        Case("permit_mx_backup, reject", recipient=f"user@{name}")
        for name in (
            "backup.example", "byaddress.example", "self.example", "other.example", "missing.example", "servfail.example",
            "null.example", "ours.example", "relay.example", "lostus.example", "[127.0.0.1]", "lostmx.example",
            "backup.example@ours.example", "alias.example",
        )
    ],
    *[
        Case(name, stage=stage, helo="missing.example", sender="user@missing.example", client="127.0.0.3")
        for stage in ("client", "helo", "sender", "relay", "data", "end_of_data")
        for name in (
            "reject_unknown_client_hostname", "reject_unknown_helo_hostname", "reject_unknown_sender_domain",
            "reject_rhsbl_reverse_client dbl.example",
        )
    ],
    *[
        Case(name, stage=stage, helo="servfail.example", sender="user@servfail.example")
        for stage in ("client", "sender", "data", "end_of_data")
        for name in (
            "reject_unknown_helo_hostname", "reject_unknown_sender_domain", "reject_rbl_client bl.example",
            "check_helo_mx_access {table}, check_sender_ns_access {table}",
        )
    ],
    *[
        Case(name, helo="servfail.example", sender="user@servfail.example")
        for name in (
            "reject_unknown_sender_domain, reject", "reject_unknown_sender_domain, permit", "warn_if_reject, "
            "reject_unknown_sender_domain", "warn_if_reject reject_rbl_client bl.example",
            "reject_unknown_helo_hostname, reject_unknown_sender_domain, reject_rbl_client bl.example",
        )
    ],
]  # fmt: skip


POOL = (
    "reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname", "reject_unknown_helo_hostname",
    "reject_unknown_sender_domain", "reject_unknown_recipient_domain", "check_helo_mx_access {byname}", "permit_dnswl_client wl.example",
    "check_sender_ns_access {byaddress}", "check_client_a_access {byaddress}", "reject_rbl_client two.bl.example=127.0.0.10",
    "reject_rhsbl_helo dbl.example", "reject_rhsbl_sender dbl.example", "permit_rhswl_client dwl.example", "defer_if_permit",
    "defer_if_reject", "reject_unauth_destination", "check_reverse_client_hostname_mx_access {permits}", "permit_mynetworks", "reject",
    "reject_non_fqdn_sender", "check_sender_mx_access {byname}",
)  # fmt: skip


def _at_random(count: int) -> Iterator[Case]:
    """Return cases whose lists are made of several restrictions, some with warn_if_reject."""
    chance = random.Random(20)
    for _ in range(count):
        words = [
            ("warn_if_reject " if chance.random() < 0.2 else "") + word for word in chance.sample(POOL, chance.randint(2, 5))
        ]
        domain = chance.choice(NAMES)
        sender = chance.choice(("", "user", f"user@{domain}", "user@good.client.example"))
        yield Case(
            ", ".join(words),
            client=chance.choice(CLIENTS),
            helo=chance.choice(NAMES),
            sender=sender,
            stage=chance.choice(STAGES),
        )


STAGES = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data")


CASES += _at_random(80)


def _main() -> dict[str, str]:
    """Return main.cf with a class for each list, chosen by the recipient or the sender of its case."""
    chosen = {stage: f"check_recipient_access texthash:{{dir}}/etc/{stage}" for stage in STAGES}
    main = LENIENT | {f"smtpd_{stage}_restrictions": choice for stage, choice in chosen.items()}
    main |= {
        "smtpd_peername_lookup": "yes",
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_relay_restrictions": f"{chosen['relay']}, check_client_access static:OK, reject_unauth_destination",
        "smtpd_recipient_restrictions": f"{chosen['recipient']}, check_sender_access texthash:{{dir}}/etc/by_sender",
        "rbl_reply_maps": "texthash:{dir}/etc/rbl_replies",
        "smtpd_restriction_classes": ", ".join(f"class{number}" for number in range(len(CASES))),
        "smtpd_log_access_permit_actions": "static:all",
    }
    for number, case in enumerate(CASES):
        words = case.list
        for name in TABLES:
            words = words.replace(f"{{{name}}}", f"texthash:{{dir}}/etc/{name}")
        main[f"class{number}"] = words.replace("{table}", "texthash:{dir}/etc/byaddress")
    return main


def _files() -> dict[str, str]:
    files = dict(TABLES) | dict.fromkeys(STAGES, "")
    files["by_sender"] = ""
    for number, case in enumerate(CASES):
        if case.recipient:
            files["by_sender"] += f"class{number}@chooses.example class{number}\n"
        else:
            files[case.stage] += f"{case.stage}-class{number}@ours.example class{number}\n"
    return files


MAIN, FILES = _main(), _files()


def _session(case: Case) -> list[Line]:
    number = CASES.index(case)
    sender, recipient = case.sender, case.recipient
    if recipient:
        sender = f"class{number}@chooses.example"
    else:
        recipient = f"{case.stage}-class{number}@ours.example"
    lines: list[Line] = [f"EHLO {case.helo}", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"]
    if case.stage in ("data", "end_of_data"):
        lines += ["DATA", b"x\r\n.\r\n"]
    return [*lines, "QUIT"]


AT_ONCE = 8


@pytest.mark.parametrize("first", range(0, len(CASES), AT_ONCE), ids=lambda first: CASES[first].list.partition(" ")[0])
def test_restrictions(parity_of_smtpd: Compare, world: DnsWorld, first: int) -> None:
    """Some sessions one after the other."""

    def case(mta: Instance) -> None:
        for count, one in enumerate(CASES[first : first + AT_ONCE], 1):
            mta.dialogue(*_session(one), client=one.client)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=count)

    parity_of_smtpd(case, main=MAIN, files=FILES, mounts=world.mounts)


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


@pytest.mark.parametrize("lookup", ["yes", "no"])
def test_names_of_clients(parity_of_smtpd: Compare, world: DnsWorld, lookup: str) -> None:
    """In the log, in Received: and in tables: good names, forged ones, none, and none for now."""
    main = LENIENT | {
        "smtpd_peername_lookup": lookup,
        "smtpd_client_restrictions": "check_client_access inline:{{listed.client.example=REJECT by name}, {.client.example=WARN parent}},"
        " check_reverse_client_hostname_access inline:{{forged.client.example=WARN reverse}}",
    }

    def case(mta: Instance) -> None:
        for client in CLIENTS:
            lines = ["EHLO c.test", "MAIL FROM:<a@b.c>", "RCPT TO:<user@ours.example>", "DATA", b"Subject: x\r\n\r\nx\r\n.\r\n", "QUIT"]
            mta.dialogue(*lines, client=client)
            mta.wait_until_empty()
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=len(CLIENTS))

    parity_of_smtpd(case, main=main, mounts=world.mounts, deliveries=True)


@pytest.mark.parametrize("lookup", ["yes", "no"])
def test_names_that_xclient_gives(parity_of_smtpd: Compare, world: DnsWorld, lookup: str) -> None:
    """Names that are unknown, for good or for now, as somebody else has found out; and no look-up at all."""
    main = LENIENT | {
        "smtpd_peername_lookup": lookup,
        "unknown_client_reject_code": "550",
        "smtpd_restriction_classes": "name, reverse",
        "name": "reject_unknown_client_hostname, reject_rhsbl_client dbl.example",
        "reverse": "reject_unknown_reverse_client_hostname, reject_rhsbl_reverse_client dbl.example",
        "smtpd_recipient_restrictions": "check_recipient_access inline:{name@ours.example=name, reverse@ours.example=reverse}",
        "smtpd_reject_unlisted_recipient": "no",
    }
    known = ("", "NAME=[UNAVAILABLE]", "NAME=[TEMPUNAVAIL]", "NAME=[UNAVAILABLE] REVERSE_NAME=host.example",
             "NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL]", "NAME=host.example REVERSE_NAME=[UNAVAILABLE]", "NAME=host.example")  # fmt: skip

    def case(mta: Instance) -> None:
        for words in known:
            lines = [f"XCLIENT {words} ADDR=192.0.2.1"] if words else []
            lines += ["EHLO c.test", "MAIL FROM:<a@b.c>", "RCPT TO:<name@ours.example>", "RCPT TO:<reverse@ours.example>", "QUIT"]
            mta.dialogue(*lines)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=len(known))

    parity_of_smtpd(case, main=main, mounts=world.mounts)


def test_nobody_waits_for_the_dns_of_others(new_instance: Callable[..., Instance]) -> None:
    """One process serves them all: while name servers keep many clients waiting, another one is served."""
    main = LENIENT | {
        "smtpd_peername_lookup": "yes",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_helo_restrictions": "reject_unknown_helo_hostname, reject_rhsbl_helo silent.example",
    }
    with DnsWorld(ZONES, SCRIPTS, options="timeout:20 attempts:1") as world:
        mta = new_instance("pyfix", main=main, mounts=world.mounts).start()
        waiting = []
        for _ in range(50):
            connection = socket.create_connection((mta.host, mta.port))
            connection.settimeout(10)
            assert connection.recv(1000).startswith(b"220 ")
            connection.sendall(b"EHLO silent.example\r\n")
            assert connection.recv(1000).startswith(b"250-")
            connection.sendall(b"MAIL FROM:<a@host.example>\r\n")
            assert connection.recv(1000).startswith(b"250 ")
            connection.sendall(b"RCPT TO:<user@ours.example>\r\n")
            waiting.append(connection)
        assert processes.wait_until(lambda: world.front.asked.count(("silent.example", "A")) == 50, 10)
        begun = time.monotonic()
        lines = ["EHLO host.example", "MAIL FROM:<a@host.example>", "RCPT TO:<user@ours.example>", "QUIT"]
        assert mta.dialogue(*lines, client="127.0.0.2")[2].startswith("250 ")
        assert time.monotonic() - begun < 15, "it was served only when the others were"
        assert len({line.partition("smtpd[")[2].partition("]")[0] for line in mta.log_lines() if "smtpd[" in line}) == 1
        for connection in waiting:
            connection.close()
