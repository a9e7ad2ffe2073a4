"""Restrictions that ask the DNS: the same answers, or none, for both sides; replies and log lines are the same.

All cases share one running system on each side.  Each has a restriction class of its own, which the recipient or the
sender of the case chooses in the list of its stage.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.smtp import Line

from .conftest import LENIENT, Compare
from .dnsnames import CLIENTS, NAMES, REPLIES, SCRIPTS, TABLES, ZONES

pytestmark = [pytest.mark.reference, pytest.mark.root]

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
