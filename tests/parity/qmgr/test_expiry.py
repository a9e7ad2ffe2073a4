"""Messages whose time is over, by themselves or by force; and who is told of what.

Source: postsuper(1) -e, -f; postconf(5) maximal_queue_lifetime, bounce_queue_lifetime, delay_warning_time.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {
    "smtpd_reject_unlisted_recipient": "no", "minimal_backoff_time": "1000s", "retry_destination_concurrency_limit": "1",
    "transport_maps": "inline:{{later.example=retry:4.4.1 not now}, {never.example=retry:4.4.7 too long}, {disc.example=discard:gone}, {bounce.example=error:5.1.6 moved}}",
    "notify_classes": "2bounce, delay", "delay_notice_recipient": "second@ours.example", "2bounce_notice_recipient": "mbox@ours.example",
}  # fmt: skip
MESSAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "usual": ("<user@ours.example>", ("<a@later.example>",)),
    "another reason": ("<user@ours.example>", ("<b@never.example>",)),
    "some got it": ("<user@ours.example>", ("<a@later.example>", "<b@disc.example>")),
    "unwanted": ("<user@ours.example>", ("<a@later.example> NOTIFY=NEVER",)),
    "some want it": ("<user@ours.example>", ("<a@later.example> NOTIFY=SUCCESS", "<b@later.example> NOTIFY=FAILURE ORCPT=rfc822;o@o.example")),
    "headers": ("<user@ours.example> RET=HDRS ENVID=id", ("<a@later.example>",)),
    "of nobody": ("<>", ("<a@later.example>",)),
    "of somebody gone": ("<x@bounce.example>", ("<a@later.example>",)),
}
ENDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "-e": (("postsuper", "-e", "{id}"),), "-e ALL": (("postsuper", "-e", "ALL"),), "-f": (("postsuper", "-f", "{id}"),),
    "-e held": (("postsuper", "-h", "{id}"), ("postsuper", "-e", "{id}")), "-f held": (("postsuper", "-h", "{id}"), ("postsuper", "-f", "{id}")),
    "-e - and released": (("postsuper", "-h", "{id}"), ("postsuper", "-e", "-"), ("postsuper", "-H", "ALL", "hold")),
    "-e twice": (("postsuper", "-e", "{id}"), ("postsuper", "-e", "{id}"), ("postsuper", "-f", "{id}")),
}  # fmt: skip
_STATUS = re.compile(r"^\w+: |(?<=size=)\d+|delay=.*?, dsn|message-id=.*|notification: \w+")


def _send(mta: Instance, name: str) -> str:
    sender, recipients = MESSAGES[name]
    lines = ["EHLO x", f"MAIL FROM:{sender}", *(f"RCPT TO:{one}" for one in recipients), "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT"]
    queue_id = mta.dialogue(*lines, client=TRUSTED)[-2].split()[-1]
    mta.wait_for_log(rf"{queue_id}: to=<", count=len(recipients))
    mta.settle()
    return queue_id


def _said(mta: Instance) -> list[str]:
    lines = [line.partition("]: ")[2] for line in mta.log_lines() if re.search(r"/(qmgr|bounce|retry|error|postsuper|virtual)\[", line)]
    return sorted(_STATUS.sub("", line) for line in lines)


def _listed(mta: Instance) -> str:
    return re.sub(r"\b[0-9A-F]{8,}(?=[#! ])", "<ID>", mta.run("postqueue", "-p").stdout.decode().partition("----\n")[2]).split("  ")[0]


def _ended(mta: Instance, name: str, end: str) -> list[Any]:
    queue_id = _send(mta, name)
    seen: list[Any] = []
    for command in ENDS[end]:
        done = mta.run(*(word.replace("{id}", queue_id) for word in command), input=f"{queue_id}\n".encode())
        seen.append((done.returncode, done.stderr.decode().replace(queue_id, "<ID>").replace(f"{mta.command_directory}/", ""), _listed(mta)))
    mta.run("postqueue", "-f")
    if end == "-e held":
        mta.run("postsuper", "-H", queue_id)
        mta.run("postqueue", "-f")
    mta.wait_until_empty(30)
    return [*seen, *_said(mta)]


@pytest.mark.parametrize("name", MESSAGES)
def test_forced(parity: Parity, name: str) -> None:
    """Each kind of message; the notices are those of the reference."""
    parity(lambda mta: _ended(mta, name, "-e"), main=MAIN, deliveries=True)


@pytest.mark.parametrize("end", [end for end in ENDS if end != "-e"])
def test_each_form(parity: Parity, end: str) -> None:
    parity(lambda mta: _ended(mta, "usual", end), main=MAIN, deliveries=True)


@pytest.mark.parametrize("sender", ["<user@ours.example>", "<>"])
def test_never_tried(parity: Parity, sender: str) -> None:
    """A message that was held from its beginning, and has no reason why it was not delivered."""

    def case(mta: Instance) -> list[Any]:
        lines = ["EHLO x", f"MAIL FROM:{sender}", "RCPT TO:<user@ours.example>", "RCPT TO:<held@ours.example>", "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT"]
        queue_id = mta.dialogue(*lines, client=TRUSTED)[-2].split()[-1]
        mta.wait_for_log(rf"{queue_id}: hold")
        seen = [_listed(mta), mta.run("postsuper", "-f", queue_id).returncode]
        mta.run("postqueue", "-f")
        mta.wait_until_empty(30)
        return [*seen, *_said(mta)]

    main = {**MAIN, "smtpd_recipient_restrictions": "check_recipient_access inline:{held@ours.example=HOLD}, permit_mynetworks"}
    parity(case, main=main, deliveries=True)


def test_a_delay_is_told_of_once(parity: Parity) -> None:
    """The sender hears of it, and postmaster; neither does again at the next try."""

    def case(mta: Instance) -> list[str]:
        for name in ("usual", "headers"):
            _send(mta, name)
        time.sleep(1.2)  # they become older
        mta.run("postqueue", "-f")
        mta.wait_for_log(r": to=<a@later", count=4)
        mta.wait_for_log(r"delay notification", count=4)
        mta.wait_for_log("to=<(?:user|second)@ours.*status=sent", count=4)
        mta.settle()
        return _said(mta)

    parity(case, main={**MAIN, "delay_warning_time": "1s", "virtual_destination_concurrency_limit": "1"}, fresh=True)
