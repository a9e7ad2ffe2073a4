"""Restriction lists made from a seed, at all stages, with classes and tables: who is refused, where and why."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER, TRUSTED
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import CLOSED, Dialogue
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .clientlog import said_of_clients
from .conftest import LENIENT

pytestmark = [pytest.mark.reference, pytest.mark.root]

STAGES = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data", "etrn")
RESTRICTIONS = [
    "reject", "defer", "permit", "defer_if_permit", "defer_if_reject", "warn_if_reject", "permit_mynetworks",
    "reject_unauth_destination", "defer_unauth_destination", "permit_auth_destination", "reject_unlisted_recipient",
    "reject_unlisted_sender", "reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname", "reject_non_fqdn_sender",
    "reject_non_fqdn_recipient", "reject_multi_recipient_bounce", "permit_inet_interfaces", "reject_plaintext_session",
    "one", "two", "three", "unheard_of", "sleep 0", "sleep x", "warn_if_reject reject", "warn_if_reject one",
    "warn_if_reject check_sender_access static:defer_if_permit", "check_sender_access", "check_recipient_access fail:x",
    "check_client_access inline:{{127.0.0.1=two},{127=defer_if_permit},{unknown=dunno}}",
    "check_helo_access inline:{{c.test=warn_if_reject,reject},{c=554 5.7.9 helo c},{test=ok}}",
    "check_sender_access inline:{{x.test=one},{<>=reject null},{ours.example=permit},{a@x.test=450 4.2.9 wait}}",
    "check_sender_access regexp:{{/x/ one, two},{/./ 250 ok}}",
    "check_recipient_access inline:{{user@ours.example=warn hi},{ours.example=defer_if_reject later},{elsewhere.example=ok}}",
    "check_recipient_access inline:{{ours.example=prepend X-Foo: bar},{second@ours.example=redirect mbox@ours.example}}",
    "check_recipient_access inline:{{mbox@ours.example=three},{relay.example=521 5.1.2},{second@=defer}}",
    "check_recipient_access inline:{{ours.example=discard},{relay.example=hold}}",
    "check_etrn_access inline:{{ours.example=reject},{y.example=ok}}", "check_sender_access inline:{x.test=nonsense}",
]  # fmt: skip
SENDERS = ["a@x.test", "", "b@ours.example", "nobody@ours.example", "root", "u@x"]
RECIPIENTS = [
    "user@ours.example", "second@ours.example", "mbox@ours.example", "nobody@ours.example", "x@relay.example",
    "x@elsewhere.example", "postmaster", "root@mail.ours.example", "user@ours",
]  # fmt: skip




def _list(chance: random.Random, most: int, without: tuple[str, ...] = ()) -> str:
    wanted = [name for name in RESTRICTIONS if name.split()[-1] not in without]
    return ", ".join(chance.choices(wanted, k=chance.randint(1, most)))


def configuration(chance: random.Random) -> dict[str, str]:
    """Return lists for about half of the stages, and three classes of which the first may have the second."""
    classes = ("one", "two", "three")
    main = {"smtpd_restriction_classes": " ".join(classes), "smtpd_delay_reject": chance.choice(("yes", "no"))}
    main |= {name: _list(chance, 3, classes) for name in classes}
    if chance.random() < 0.5:
        main["one"] += ", two"
    main |= {f"smtpd_{stage}_restrictions": _list(chance, 5) for stage in STAGES if chance.random() < 0.5}
    guard = chance.choice(("reject_unauth_destination", "defer_unauth_destination", "defer_if_permit"))
    main["smtpd_relay_restrictions"] = f"permit_mynetworks, {guard}"
    main["smtpd_reject_unlisted_sender"] = chance.choice(("yes", "no"))
    main["smtpd_log_access_permit_actions"] = chance.choice(("", "static:all"))
    main["soft_bounce"] = chance.choice(("yes", "no", "no"))
    return main


def session(chance: random.Random) -> list[str | bytes]:
    lines: list[str | bytes] = [chance.choice(("EHLO c.test", "HELO c", "EHLO [1.2.3.4]", "EHLO -x", "NOOP"))]
    for _ in range(2):
        lines.append(f"MAIL FROM:<{chance.choice(SENDERS)}>")
        lines += [f"RCPT TO:<{chance.choice(RECIPIENTS)}>" for _ in range(chance.randint(1, 4))]
        lines += [chance.choice(("DATA", "DATA", b"BDAT 4 LAST\r\na: b")), "RSET"]
    return [*lines, chance.choice(("ETRN ours.example", "ETRN y.example", "VRFY user@ours.example")), "QUIT"]


@pytest.mark.parametrize("seed", range(8))
def test_lists(instance_pool: InstancePool, seed: int) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> None:
        for number in range(20):
            chance = random.Random(f"{seed} {number}")
            mta.transcript.append(f"== {number}")
            mark = mta.log_mark()
            with Dialogue(mta.host, mta.port, chance.choice((STRANGER, STRANGER, TRUSTED))) as client:
                mta.transcript.append(client.greeting)
                for line in session(chance):
                    mta.transcript += [f"> {line!r}", *client.say(line)]
                    if mta.transcript[-1].startswith("354"):
                        mta.transcript += client.say(b"x: y\r\n\r\n.\r\n")
                    if CLOSED in mta.transcript[-1]:
                        break
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            mta.transcript += said_of_clients(mta.log_lines(mark))

    main = LENIENT | configuration(random.Random(f"lists {seed}"))
    parity(case, main=main, replace={"smtpd": "pyfix"}, fresh=True)
