"""Notices are the reference's to the byte: failure, delay, success, verification, VERP, copies for postmaster."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

LONG = (
    "this is a rather long explanation of why we do not want the message, made of many words so that it has to be "
    "folded over several lines of the report, averyveryveryveryveryveryveryveryveryveryveryveryverylongwordthatdoesnotfit"
    " end"
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
    "several": ("<user@ours.example>", ("<a@refused.example>", "<c@refused.example>", "<b@refused.example>"), 2),
    "headers only": (
        "<user@ours.example> RET=HDRS ENVID=abc+2Bd",
        ("<a@refused.example> ORCPT=rfc822;orig@x.test",),
        2,
    ),
    "8bit": ("<user@ours.example> BODY=8BITMIME", ("<a@refused.example>",), 2),
    "7bit": ("<user@ours.example> BODY=7BIT", ("<a@refused.example>",), 2),
    "SMTPUTF8": ("<user@ours.example> SMTPUTF8", ("<a@refused.example>",), 2),
    "SMTPUTF8 in use": ("<user@ours.example> SMTPUTF8", ("<\u00e4@refused.example>",), 2),
    "long reason": ("<user@ours.example>", ("<a@long.example>",), 2),
    "unwanted": ("<user@ours.example>", ("<a@refused.example> NOTIFY=NEVER",), 1),
    "failure not wanted": ("<user@ours.example>", ("<a@refused.example> NOTIFY=SUCCESS",), 1),
    "quoted": ("<user@ours.example>", ('<"a b"@refused.example>',), 2),
    "success": ("<user@ours.example>", ("<a@gone.example> NOTIFY=SUCCESS",), 2),
    "success here": ("<user@ours.example>", ("<user@ours.example> NOTIFY=SUCCESS,FAILURE",), 2),
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


@pytest.mark.parametrize("recipient", ["user@ours.example", "a@refused.example", "a@later.example", "b@gone.example"])
def test_report_of_verification(parity: Parity, recipient: str) -> None:
    def case(mta: Instance) -> None:
        mta.run("sendmail", "-f", "user@ours.example", "-bv", recipient)
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

    # Each recipient has a delivery of its own here: one at a time, as either may be first to fail otherwise, and a mailbox
    # for each notice, as either may be first to arrive.
    boxes = "user+a=refused.example@ours.example user/\nuser+b=refused.example@ours.example second/\nuser@ours.example user/\n"
    main = {**MAIN, "recipient_delimiter": "+", "error_destination_concurrency_limit": "1"}
    parity(case, main=main, files={"mailboxes": boxes}, deliveries=True, logs="bounce")


@pytest.mark.parametrize("wide", ["no", "yes"])
@pytest.mark.parametrize("charset", ["us-ascii", "iso-8859-1"])
@pytest.mark.parametrize("body", ["", " BODY=7BIT", " BODY=8BITMIME"])
def test_own_template(parity: Parity, body: str, charset: str, wide: str) -> None:
    template = f"""\
failure_template = <<EOF
Charset: {charset}
From: The Post <MAILER-DAEMON>
Subject: Sorry
Postmaster-Subject: Copy

No luck at $myhostname, ${{mydomain}}, $(mail_name) ${{mail_name?{{yes}}}} $$.
It stays for $maximal_queue_lifetime_days days, $maximal_queue_lifetime_minutes minutes.
EOF
"""

    def case(mta: Instance) -> None:
        send(mta, f"<user@ours.example>{body}", "<a@refused.example>")
        settled(mta, 2)

    main = {
        **MAIN,
        "bounce_template_file": "{dir}/etc/bounce.cf",
        "smtputf8_enable": wide,
        "enable_threaded_bounces": wide,
        "myorigin": "origin.example",
    }
    parity(case, main=main, files={"bounce.cf": template}, deliveries=True)


BAD_TEMPLATES = {
    "wide text in us-ascii": "failure_template = <<EOF\nFrom: me\n\n\u00fcmlaut\nEOF\n",
    "no end": "failure_template = <<EOF\nSubject: s\nhello\n",
    "unknown template": "foo_template = <<EOF\n\nx\nEOF\n",
    "unknown header": "failure_template = <<EOF\nNope: x\nFrom: a@b\n\nbody\nEOF\n",
    "folded header": "failure_template = <<EOF\nFrom: a@b\n folded\nSubject: s\nEOF\n",
    "one line": "failure_template = one line\n",
    "no postmaster": "success_template = <<EOF\nPostmaster-Subject: q\n\nx\nEOF\n",
    "zero time": "failure_template = <<EOF\n\n$maximal_queue_lifetime_weeks\nEOF\n",
}


@pytest.mark.parametrize("name", BAD_TEMPLATES)
def test_template_with_faults(parity: Parity, name: str) -> None:
    def case(mta: Instance) -> set[str]:
        send(mta, "<user@ours.example>", "<a@refused.example>")
        settled(mta, 2)
        lines = [line.replace(str(mta.directory), "") for line in mta.log_lines() if "/bounce[" in line]
        return {line.partition("warning: ")[2] for line in lines}

    main = {**MAIN, "bounce_template_file": "{dir}/etc/bounce.cf"}
    parity(case, main=main, files={"bounce.cf": BAD_TEMPLATES[name]}, deliveries=True, fresh=True)


@pytest.mark.parametrize("limit", [242, 243, 244, 1000])
def test_size_limit(parity: Parity, limit: int) -> None:
    body = (*BODY[:4], *[f"line {number} of a long text" for number in range(200 if limit == 1000 else 0)], ".")
    def case(mta: Instance) -> None:
        send(mta, "<user@ours.example>", "<a@refused.example>", body=body)
        settled(mta, 2)

    parity(case, main={**MAIN, "bounce_size_limit": str(limit)}, deliveries=True)


@pytest.mark.parametrize("path", ["nosuch.cf", ".", "main.cf/x", "empty.cf"])
def test_template_file_that_cannot_be_read(parity: Parity, path: str) -> None:
    """Then there are no notices at all; a file that is empty changes nothing."""

    def case(mta: Instance) -> str:
        send(mta, "<user@ours.example>", "<a@refused.example>")
        pattern = r"sender non-delivery notification" if "empty" in path else r"/bounce\[\d+\]: fatal: (.*)"
        line = mta.wait_for_log(pattern)[0]
        return line.replace(str(mta.directory), "").partition("]: ")[2]

    main = {**MAIN, "bounce_template_file": f"$config_directory/{path}"}
    parity(case, main=main, files={"empty.cf": ""}, fresh=True)
