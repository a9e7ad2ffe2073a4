"""``flags=DORX`` in master.cf: headers that smtp and lmtp put before a message, loops that they see, and final delivery.

Source: smtp(8), flags=; RFC 3464 section 2.3.3 (relayed, delivered).
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.peer import Peer, Script
from tests.parity.smtp.handing import PIPELINING, SENDER, Hand
from tests.parity.smtp.test_content import CHECKS, GENERIC, TABLES
from tests.parity.smtp.test_extensions import by_smtp

pytestmark = [pytest.mark.reference, pytest.mark.root]

SERVICES = {f"flags{flags}": f"flags{flags} unix - - n - - {program} flags={flags}" for program, flags in (
    ("smtp", "DOR"), ("smtp", "RRX"), ("lmtp", "DORX"), ("lmtp", "OD"),
)}  # fmt: skip
ONE = {f"flags{flags}_destination_recipient_limit": "1" for flags in ("DOR", "DORX")}
LOOPS = "Delivered-To: Other@flags.example\nSubject: x\nDelivered-To: A@flags.example\n\nx\n"


def _hand(parity: Parity, peer: Peer, service: str) -> Hand:
    main = {**ONE, "recipient_delimiter": "+", "transport_maps": f"inline:{{flags.example={service}:inet:[127.1.9.1]:{peer.port}}}"}
    if "lmtp" not in SERVICES[service]:
        main["transport_maps"] = main["transport_maps"].replace("inet:", "")
    aliases = {"virtual_alias_maps": "inline:{{old@alias.example=a@flags.example}}", "virtual_alias_domains": "alias.example"}
    return Hand(parity, peer, {**main, **aliases}, {"master": SERVICES})


CASES = (
    (["a@flags.example"], "Subject: x\n\nx\n", SENDER),
    (["a@flags.example", "b@flags.example"], "Subject: x\n\nx\n", SENDER),
    (['"a b+c"@flags.example'], "Subject: x\n\n.x\n", '"x y"@ours.example'),
    (["a+b@flags.example"], "\nbody\n", ""),
    (["old@alias.example"], "Return-Path: <x>\nX-Original-To: y\nSubject: x\n\n.\n", SENDER),
    (["a@flags.example"], LOOPS, SENDER),
    (["b@flags.example"], LOOPS, SENDER),
)


@pytest.mark.parametrize("service", SERVICES)
def test_headers(parity: Parity, peer: Peer, service: str) -> None:
    """Who is named, and how; who has had the message before; more recipients than flags can do with."""
    hand, lmtp = _hand(parity, peer, service), "lmtp" in SERVICES[service]
    script = {"EHLO": PIPELINING, "LHLO": PIPELINING}
    for recipients, content, sender in CASES:
        if len(recipients) > 1 and f"{service}_destination_recipient_limit" in ONE:
            continue  # two deliveries, side by side
        hand(script, recipients, content=content, sender=sender, lmtp=lmtp)


@pytest.mark.parametrize("server", [{}, {"EHLO": PIPELINING}], ids=["old", "new"])
def test_with_checks_and_conversion(parity: Parity, peer: Peer, server: Script) -> None:
    """Headers that are added are not converted, but pass the checks."""
    content = b"Subject: caf\xe9\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\nh\xc3\xa9llo\n"
    files = {**TABLES, "checks": "/^(Delivered-To|X-Original-To|Return-Path):/ WARN seen\n/^Return/ PREPEND X-Before: it\n"}
    for main in ({}, CHECKS, {"smtp_generic_maps": GENERIC}):
        hand = _hand(parity, peer, "flagsDOR")
        hand(server, ["a@flags.example"], send=by_smtp("BODY=8BITMIME", content=content), main=main, files=files)


@pytest.mark.parametrize("service", ["flagsRRX", "flagsDORX", "flagsDOR"])
@pytest.mark.parametrize("tells", [False, True])
def test_final_delivery(parity: Parity, peer: Peer, service: str, tells: bool) -> None:
    """With X a report of success says "delivered"."""
    offer = PIPELINING if tells else "250-peer.example\n250 PIPELINING"
    recipients = ["a@flags.example"]

    _hand(parity, peer, service)({"EHLO": offer, "LHLO": offer}, recipients, lmtp="lmtp" in SERVICES[service], send=by_smtp("", "NOTIFY=SUCCESS"))


WORDS = ("flags=Z", "flags=DZ", "flags", "other=x", "word", "flags=DR :", "flags=:")


@pytest.mark.parametrize("program", ["smtp", "lmtp"])
def test_bad_attributes(parity: Parity, program: str) -> None:
    """What is no flag ends the process."""
    services = {f"bad{number}": f"bad{number} unix - - n - - {program} {word}" for number, word in enumerate(WORDS)}

    def case(mta: Instance) -> list[str]:
        mta.send_message([f"a@{name}.example" for name in services], sender="")
        mta.wait_for_log(rf"/{program}\[\d+\]: fatal: ", 40, count=len(WORDS))
        return sorted(line.partition("fatal: ")[2] for line in mta.log_lines() if "fatal: " in line)

    routes = ", ".join(f"{{{name}.example={name}:[127.0.0.1]:1}}" for name in services)
    main = {"transport_maps": f"inline:{{{routes}}}", "smtpd_reject_unlisted_recipient": "no"}
    assert len(set(parity(case, main=main, master=services, fresh=True).result)) == len(WORDS)  # type: ignore[call-overload]  # the result of case
