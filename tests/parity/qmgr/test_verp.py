"""VERP: each recipient has a sender address of its own, and a notice of its own.

Source: VERP_README; postconf(5) default_verp_delimiters, verp_delimiter_filter, disable_verp_bounces, recipient_delimiter,
smtpd_authorized_verp_clients; sendmail(1) -XV, -V.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

ROUTES = "{disc.example=discard:gone}, {bounce.example=error:5.1.6 moved}, {later.example=retry:4.4.1 not now}, {quiet.example=error:5.1.1 no}"
MAIN = {
    "smtpd_reject_unlisted_recipient": "no", "transport_maps": f"inline:{{{ROUTES}}}", "recipient_delimiter": "+", "minimal_backoff_time": "1000s",
    "virtual_mailbox_maps": "regexp:{{/^(list|user|second)([-+=][^@]*)?@ours/ box/}}", "virtual_mailbox_limit": "0", "smtpd_authorized_verp_clients": TRUSTED,
    "error_destination_concurrency_limit": "1", "virtual_destination_concurrency_limit": "1", "smtputf8_enable": "yes",
}  # fmt: skip
LOCAL: dict[str, tuple[str, ...]] = {
    "default": ("-XV", "-f", "list@ours.example", "user@ours.example", "second@ours.example"),
    "other delimiters": ("-XV-+", "-f", "list@ours.example", "user@ours.example"),
    "the old option": ("-V-=", "-f", "list@ours.example", "user@ours.example"),
    "an extension": ("-XV", "-f", "list+ext@ours.example", "user+ext@ours.example"),
    "quoted": ("-XV", "-f", '"list x"@ours.example', "user@ours.example"),
    "without a domain": ("-XV", "-f", "list", "user@ours.example"),
    "no sender": ("-XV", "-f", "", "user@ours.example"),
    "bounces": ("-XV", "-f", "list@ours.example", "a@bounce.example", "user@ours.example", "b@quiet.example"),
    "bounces, with headers only": ("-XV-=", "-R", "hdrs", "-V", "envid", "-f", "list@ours.example", "a@bounce.example", "b+x@bounce.example"),
    "unwanted bounces": ("-XV", "-N", "never", "-f", "list@ours.example", "a@bounce.example"),
    "success": ("-XV", "-N", "success", "-f", "list@ours.example", "a@disc.example"),
    "success of two": ("-XV", "-N", "success", "-f", "list@ours.example", "user@ours.example", "second@ours.example"),
    "verbose": ("-XV", "-v", "-f", "list@ours.example", "a@disc.example"),
    "null sender bounces": ("-XV", "-f", "<>", "a@bounce.example"),
    "a recipient that is quoted": ("-XV", "-f", "list@ours.example", '"a b"@bounce.example'),
}  # fmt: skip
REMOTE: dict[str, tuple[str, str]] = {
    "XVERP": ("<list@ours.example> XVERP", "<a@bounce.example>"),
    "XVERP=-=": ("<list@ours.example> XVERP=-=", "<a@bounce.example>"),
    "XVERP=": ("<list@ours.example> XVERP=", "<a@bounce.example>"),
    "XVERP=x": ("<list@ours.example> XVERP=x", "<a@bounce.example>"),
    "XVERP=ab": ("<list@ours.example> XVERP=ab", "<a@bounce.example>"),
    "XVERP=+=-": ("<list@ours.example> XVERP=+=-", "<a@bounce.example>"),
    "XVERP for nobody": ("<> XVERP", "<a@bounce.example>"),
    "XVERP with DSN": ("<list@ours.example> XVERP RET=HDRS ENVID=x", "<a@bounce.example> ORCPT=rfc822;old@o.example"),
    "XVERP that reaches him": ("<list@ours.example> XVERP=+=", "<user@ours.example>"),
}


def _settled(mta: Instance) -> None:
    mta.wait_until_empty()
    mta.settle()  # the last lines are in the log


def _copies(mta: Instance) -> list[str]:
    """Return the return path and address of each message that came, and all but the variable lines of the notices."""
    copies = []
    for messages in mta.deliveries().values():
        for message in messages:
            text = message.decode()
            found = re.search(r"Return-Path: (.*)\n(?:.*\n)*?Delivered-To: (.*)\n", text)
            assert found, text
            wanted = re.findall(r"(?m)^(?:Subject|To|Final-Recipient|Original-Recipient|Action|Status|Original-Envelope-Id|X-Postfix-Sender): .*", text)
            copies.append(" | ".join([*found.groups(), *wanted]))
    return sorted(copies)


@pytest.mark.parametrize("settings", [{}, {"default_verp_delimiters": "-="}, {"disable_verp_bounces": "yes"}, {"default_verp_delimiters": "-+", "verp_delimiter_filter": "+-"}], ids=["", "delimiters", "disabled", "filter"])
def test_from_here(parity: Parity, settings: dict[str, str]) -> None:
    """sendmail(1): who sent what reached its recipient, and who is told of what did not."""

    def case(mta: Instance) -> str:
        said = []
        for name in ("bounces", "default", "other delimiters") if settings else LOCAL:
            mta.forget()
            done = mta.run("sendmail", *LOCAL[name], input=b"Subject: x\n\nx\n")
            if done.returncode == 0:
                mta.wait_for_log("removed")
            _settled(mta)
            said += [f"{name}: {done.returncode} {done.stderr.decode().partition(': ')[2].strip()}", *_copies(mta)]
            said += sorted(re.sub(r"^\w+: |message-id=.*|delay=.*?, dsn", "", line.partition("]: ")[2]) for line in mta.log_lines() if "/qmgr[" in line or ("/bounce[" in line and "notification" not in line))
        return re.sub(r"size=\d+", "size=N", "\n".join(said))

    parity(case, main={**MAIN, **settings}, fresh=True)


@pytest.mark.parametrize("settings", [{}, {"default_verp_delimiters": "-="}, {"default_verp_delimiters": "ba", "verp_delimiter_filter": "ab"}], ids=["", "delimiters", "filter"])
def test_by_smtp(parity: Parity, settings: dict[str, str]) -> None:
    """XVERP, with delimiters that may be used and others."""

    def case(mta: Instance) -> str:
        said = []
        for name in ("XVERP", "XVERP=-=", "XVERP=ab") if settings else REMOTE:
            mta.forget()
            sender, recipient = REMOTE[name]
            lines = ["EHLO x", f"MAIL FROM:{sender}", f"RCPT TO:{recipient}", "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT"]
            replies = mta.dialogue(*lines, client=TRUSTED)
            if replies[1].startswith("250"):
                mta.wait_for_log("removed")
            _settled(mta)
            said += [f"{name}: {replies[1]}", *_copies(mta)]
            mta.transcript.clear()
        return "\n".join(said)

    parity(case, main={**MAIN, **settings}, fresh=True)


def test_expired_and_delayed(parity: Parity) -> None:
    """Those who wait each have a notice of their own at the end, and none of the delay."""

    def case(mta: Instance) -> object:
        mta.run("sendmail", "-XV", "-f", "list@ours.example", "a@later.example", "b@later.example", input=b"Subject: x\n\nx\n")
        queue_id = mta.wait_for_log(r"(\w+): to=<b@later", count=1)[1]
        mta.wait_for_log(r": to=<.@later", count=2)
        mta.settle()
        mta.wait_for_log(".", seconds=2)
        mta.run("postqueue", "-f")
        mta.wait_for_log(r": to=<.@later", count=4)
        mta.settle()
        delayed = _copies(mta)
        mta.run("postsuper", "-e", queue_id)
        mta.run("postqueue", "-f")
        _settled(mta)
        return delayed, _copies(mta)

    parity(case, main={**MAIN, "delay_warning_time": "1s", "retry_destination_concurrency_limit": "1"}, fresh=True)
