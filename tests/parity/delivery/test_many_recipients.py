"""One message for many recipients, in one request or one each: who gets it how often, and what is left of it in the queue.

Source: postconf(5) default_destination_recipient_limit, soft_bounce, defer_transports; local(8); the reference.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix", "virtual": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "alias_maps": "texthash:{dir}/etc/aliases",
    "transport_maps": "inline:{{disc.example=discard:gone}}",
    "virtual_mailbox_maps": "inline:{{user@ours.example=user/}, {second@ours.example=second/}, {mbox@ours.example=mbox}}",
    "local_destination_concurrency_limit": "1",
    "virtual_destination_concurrency_limit": "1",
}
ONE_LOCAL = {"local": "local unix - n n - 1 local"}
"""With a request for each recipient, several are with local(8) at a time, and any may be the first."""
ALIASES = "one games\ntwo games, daemon\nthree one, two, a@disc.example\nlater nosuchuser, games\n"
LOCAL = ["games@localhost", "games+x@localhost", "Games@localhost", "one@localhost", "two@localhost", "three@localhost",
         "nosuch@localhost", "later@localhost", "daemon@localhost", '"games"@localhost', "games@mail.ours.example"]  # fmt: skip
VIRTUAL = ["user@ours.example", "second@ours.example", "mbox@ours.example", "mbox+a@ours.example", "MBOX@ours.example",
           "nosuch@ours.example", "user+b@ours.example"]  # fmt: skip


def _outcomes(mta: Instance) -> list[str]:
    lines = [line.partition(": to=")[2] for line in mta.log_lines() if ": to=<" in line]
    lines = [re.sub(r"delay=.*?, dsn=", "dsn=", re.sub(r"forwarded as \w+", "forwarded", line)) for line in lines]
    return sorted(lines)


def _copies(mta: Instance) -> list[str]:
    """Return who has which copy; with a request for each recipient they come in no fixed order."""
    return sorted(
        f"{box} {' '.join(field.decode() for field in found)}"
        for box, contents in mta.deliveries().items()
        for content in contents
        for found in re.findall(rb"^(X-Original-To: .*)\n(Delivered-To: .*)$", content, re.MULTILINE)
    )


@pytest.mark.parametrize("soft", ["no", "yes"])
@pytest.mark.parametrize("limit", ["1", "50"])
@pytest.mark.parametrize("agent", ["local", "virtual"])
def test_many(exchanged: Parity, agent: str, limit: str, soft: str) -> None:
    """How often a user has the message, with and without requests of several recipients; failures that wait for now."""

    def case(mta: Instance) -> list[str]:
        recipients = LOCAL if agent == "local" else VIRTUAL
        queue_id = mta.send_message(recipients, sender="back@disc.example")
        mta.wait_for_log(rf"{queue_id}: to=<nosuch@")
        assert wait_until(lambda: not {"active", "incoming"} & mta.queue().keys(), 10)
        mta.settle()
        assert list(mta.queue()) == (["deferred"] if soft == "yes" else [])
        copies = _copies(mta)
        assert copies
        return _outcomes(mta) + copies

    main = {**MAIN, f"{agent}_destination_recipient_limit": limit, "soft_bounce": soft}
    exchanged(case, main=main, files={"aliases": ALIASES}, master=ONE_LOCAL, replace=OURS, queue=True)
