"""Notices are the reference's to the byte: failure, delay, success, verification, VERP, copies for postmaster."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

LONG = (
    "this is a rather long explanation of why we do not want the message, made of many words so that it has to be "
    "folded over several lines of the report, averyveryveryveryveryveryveryveryveryveryveryveryverylongwordthatdoesnotfit end"
)
MAIN = {
    "transport_maps": "inline:{{refused.example=error:5.7.1 no way here}, {later.example=retry:4.3.0 later}, "
    f"{{long.example=error:5.4.6 {LONG}}}, {{gone.example=discard:}}}}",
    "relay_domains": "refused.example, later.example, long.example, gone.example",
    "relay_recipient_maps": "",
    "smtpd_reject_unlisted_recipient": "no",
    "notify_classes": "",
}
BODY = ("Subject: test", "From: user@ours.example", "To: x@refused.example", "", "Hello", ".")


def send(mta: Instance, mail: str, *recipients: str, body: Sequence[str] = BODY) -> None:
    """Send one message; the replies are compared."""
    mta.dialogue(
        "EHLO client.example", f"MAIL FROM:{mail}", *[f"RCPT TO:{one}" for one in recipients], "DATA",
        "\r\n".join(body), "QUIT",
        client=TRUSTED,
    )  # fmt: skip


def settled(mta: Instance, removed: int) -> None:
    """Wait until so many messages have left the queue."""
    mta.wait_for_log(r"\w+: removed", count=removed)


CASES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "whole": ("<user@ours.example>", ("<a@refused.example>",), 2),
    "several": ("<user@ours.example>", ("<a@refused.example>", "<B@refused.example>"), 2),
    "headers only": ("<user@ours.example> RET=HDRS ENVID=abc+2Bd", ("<a@refused.example> ORCPT=rfc822;orig@x.test",), 2),
    "8bit": ("<user@ours.example> BODY=8BITMIME", ("<a@refused.example>",), 2),
    "7bit": ("<user@ours.example> BODY=7BIT", ("<a@refused.example>",), 2),
    "SMTPUTF8": ("<user@ours.example> SMTPUTF8", ("<a@refused.example>",), 2),
    "long reason": ("<user@ours.example>", ("<a@long.example>",), 2),
    "unwanted": ("<user@ours.example>", ("<a@refused.example> NOTIFY=NEVER",), 1),
    "failure not wanted": ("<user@ours.example>", ("<a@refused.example> NOTIFY=SUCCESS",), 1),
    "quoted": ("<user@ours.example>", ('<"a b"@refused.example>',), 2),
    "success": ("<user@ours.example>", ("<a@gone.example> NOTIFY=SUCCESS",), 2),
    "success of two": ("<user@ours.example>", ("<a@gone.example> NOTIFY=SUCCESS", "<user@ours.example> NOTIFY=SUCCESS,FAILURE"), 2),
    "null sender": ("<>", ("<a@refused.example>",), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_notice_to_sender(parity: Parity, name: str) -> None:
    mail, recipients, removed = CASES[name]

    def case(mta: Instance) -> None:
        send(mta, mail, *recipients)
        settled(mta, removed)

    parity(case, main=MAIN, deliveries=True, logs="bounce")


@pytest.mark.parametrize("sender", ["<user@ours.example>", "<>"])
def test_copies_for_postmaster(parity: Parity, sender: str) -> None:
    def case(mta: Instance) -> None:
        send(mta, sender, "<a@refused.example>")
        settled(mta, 3 if sender != "<>" else 2)

    main = {
        **MAIN,
        "notify_classes": "bounce, 2bounce",
        "bounce_notice_recipient": "second@ours.example",
        "2bounce_notice_recipient": "second@ours.example",
    }
    parity(case, main=main, deliveries=True, logs="bounce")


def test_delay_warning(parity: Parity) -> None:
    def case(mta: Instance) -> None:
        send(mta, "<user@ours.example>", "<a@later.example>", "<b@later.example> NOTIFY=FAILURE")
        mta.wait_for_log(r"to=<a@later\.example>.*status=deferred", count=1)
        mta.wait_for_log(r"sender delay notification", seconds=20)
        settled(mta, 2)
        mta.run("postsuper", "-d", "ALL")

    main = {
        **MAIN,
        "delay_warning_time": "1s",
        "minimal_backoff_time": "1s",
        "maximal_backoff_time": "2s",
        "queue_run_delay": "1s",
        "notify_classes": "delay",
        "delay_notice_recipient": "second@ours.example",
    }
    parity(case, main=main, deliveries=True, fresh=True)


def test_report_of_verification(parity: Parity) -> None:
    def case(mta: Instance) -> None:
        mta.run("sendmail", "-f", "user@ours.example", "-bv", "user@ours.example", "a@refused.example", "b@gone.example")
        settled(mta, 2)

    parity(case, main=MAIN, deliveries=True, logs="bounce")


def test_report_of_delivery(parity: Parity) -> None:
    def case(mta: Instance) -> None:
        mta.run("sendmail", "-f", "user@ours.example", "-v", "b@gone.example", input=b"Subject: x\n\nbody\n")
        settled(mta, 2)

    parity(case, main=MAIN, deliveries=True, logs="bounce")


def test_verp(parity: Parity) -> None:
    def case(mta: Instance) -> None:
        mta.run(
            "sendmail", "-f", "user@ours.example", "-XV", "a@refused.example", "b@refused.example",
            input=b"Subject: x\n\nbody\n",
        )  # fmt: skip
        settled(mta, 3)

    parity(case, main={**MAIN, "recipient_delimiter": "+"}, deliveries=True, logs="bounce")


def test_own_template(parity: Parity) -> None:
    template = """\
failure_template = <<EOF
Charset: us-ascii
From: The Post <MAILER-DAEMON>
Subject: Sorry
Postmaster-Subject: Copy

No luck at $myhostname, ${mydomain}.
It stays for $maximal_queue_lifetime_days days.
EOF
"""

    def case(mta: Instance) -> None:
        send(mta, "<user@ours.example>", "<a@refused.example>")
        settled(mta, 2)

    parity(
        case,
        main={**MAIN, "bounce_template_file": "{dir}/etc/bounce.cf"},
        files={"bounce.cf": template},
        deliveries=True,
    )


def test_size_limit(parity: Parity) -> None:
    body = (*BODY[:4], *[f"line {number} of a long text" for number in range(200)], ".")

    def case(mta: Instance) -> None:
        send(mta, "<user@ours.example>", "<a@refused.example>", body=body)
        settled(mta, 2)

    parity(case, main={**MAIN, "bounce_size_limit": "1000"}, deliveries=True)
