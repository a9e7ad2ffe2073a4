"""Whom the mail system tells of what: the classes of notify_classes, double bounces, messages that cleanup(8) returns.

Source: postconf(5) notify_classes, bounce_notice_recipient, 2bounce_notice_recipient, delay_notice_recipient,
error_notice_recipient, double_bounce_sender, hopcount_limit, message_size_limit; bounce(8), smtpd(8), cleanup(8).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

from .test_notices import MAIN

pytestmark = [pytest.mark.reference, pytest.mark.root]

_BOXES = ("bounce", "2bounce", "delay", "error")
FILES: dict[str, str | bytes] = {
    "mailboxes": "".join(f"{name}@ours.example {name}/\n" for name in (*_BOXES, "user", "mailer-daemon")),
}  # fmt: skip
TOLD = {
    "bounce_notice_recipient": "bounce@ours.example", "2bounce_notice_recipient": "2bounce@ours.example",
    "delay_notice_recipient": "delay@ours.example", "error_notice_recipient": "error@ours.example",
}  # fmt: skip
CLASSES = ["bounce", "2bounce", "data", "delay", "policy", "protocol", "resource", "software"]


def _session(*lines: str, content: str = "Subject: x\r\n\r\nx") -> list[str]:
    return ["EHLO client.example", *lines, "DATA", f"{content}\r\n.", "QUIT"]


_HOPS = "Received: x\r\n" * 6
SESSIONS: dict[str, list[str]] = {
    "returned": _session("MAIL FROM:<user@ours.example>", "RCPT TO:<a@refused.example>"),
    "returned twice": _session("MAIL FROM:<>", "RCPT TO:<a@refused.example>"),
    "relay refused": _session("MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>"),
    "a bad command": ["HELO x", "NONSENSE", "MAIL FROM:<a b>", "QUIT"],
    "bad configuration": _session("MAIL FROM:<config@x.example>", "RCPT TO:<user@ours.example>"),
    "too many hops": _session("MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", content=f"{_HOPS}\r\n\r\nx"),
    "too large": _session("MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", content="x\r\n" * 2000),
    "too large by its own word": ["EHLO x", "MAIL FROM:<a@b.example> SIZE=99999", "QUIT"],
    "too large with too many hops": _session(
        "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", content=_HOPS + "\r\n\r\n" + "x\r\n" * 2000
    ),
    "BDAT for nobody": ["EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>", "BDAT 3 LAST\r\nx", "QUIT"],
    "DATA for nobody": ["EHLO x", "MAIL FROM:<a@b.example>", "DATA", "QUIT"],
    "a lost connection": ["EHLO x", "MAIL FROM:<a@b.example>"],
}


def _quietly(mta: Instance, count: int) -> None:
    mta.wait_until_empty()
    assert sum(": removed" in line for line in mta.log_lines()) >= count


@pytest.mark.parametrize("classes", ["bounce, 2bounce", "data, delay", "policy", "protocol", "resource, software", ", ".join(CLASSES)])
def test_classes(parity: Parity, classes: str) -> None:
    """What happens belongs to one class or more; each has a recipient of its own."""

    def case(mta: Instance) -> None:
        for name, lines in SESSIONS.items():
            mta.dialogue(*lines, client=TRUSTED if "returned" in name else "127.0.0.1")
            mta.settle()
        _quietly(mta, 2)

    main = {
        **MAIN, **TOLD, "notify_classes": classes, "hopcount_limit": "5", "message_size_limit": "3000",
        "virtual_mailbox_limit": "0", "smtpd_sender_restrictions": "check_sender_access inline:{config@x.example=nonsense}",
    }  # fmt: skip
    parity(case, main=main, files=FILES, deliveries=True, logs=("bounce", "smtpd"))


@pytest.mark.parametrize("double_bounce_sender", ["double-bounce", "Other", "other@ours.example"])
def test_double_bounces(parity: Parity, double_bounce_sender: str) -> None:
    """A notice for postmaster that can't be delivered is not returned; mail for its sender goes nowhere."""

    def case(mta: Instance) -> object:
        mta.dialogue(*SESSIONS["returned twice"], client=TRUSTED)
        mta.wait_for_log(r": removed", count=2)
        names = ("double-bounce@localhost", "OTHER@mail.ours.example", "double-bounce+x@localhost", "other@localhost")
        for recipients in (*[[name] for name in names], [*names, "user@ours.example"]):
            queue_id = mta.send_message(recipients, sender="user@gone.example")
            mta.wait_for_log(rf"{queue_id}: removed")
        mta.wait_until_empty()
        lines = [line.partition("]: ")[2] for line in mta.log_lines() if re.search("status=|discarded|from=<.*ounce|from=<.*ther", line)]
        return sorted(re.sub(r"delay=.*?, (?=dsn=)|(?<=size=)\d+|\b[0-9A-F]{8,}\b", "", line) for line in lines)

    main = {
        **MAIN, "notify_classes": "2bounce", "2bounce_notice_recipient": "a@refused.example", "recipient_delimiter": "+",
        "double_bounce_sender": double_bounce_sender,
    }  # fmt: skip
    parity(case, main=main, files=FILES, deliveries=True)


LOCAL_MAIL: dict[str, tuple[bytes, Sequence[str]]] = {
    "hops": (b"Received: x\n" * 6 + b"Subject: x\n\nx\n", ()),
    "hops, header only": (b"Received: x\n" * 6 + b"Subject: x\n\nx\n", ("-R", "hdrs", "-V", "envid")),
    "hops, unwanted": (b"Received: x\n" * 6 + b"Subject: x\n\nx\n", ("-N", "success")),
    "hops, of nobody": (b"Received: x\n" * 6 + b"Subject: x\n\nx\n", ("-f", "")),
}


@pytest.mark.parametrize("name", LOCAL_MAIL)
def test_mail_that_cleanup_returns(parity: Parity, name: str) -> None:
    """Of local programs, which can't be refused it: returned with the reason, copies for postmaster, and no log stays."""

    def case(mta: Instance) -> object:
        content, options = LOCAL_MAIL[name]
        sender = () if "-f" in options else ("-f", "user@ours.example")
        mta.run("sendmail", *sender, *options, "mailer-daemon@ours.example", "a@gone.example", input=content)
        mta.wait_for_log(r"/cleanup\[\d+\]: \w+: removed")
        mta.wait_until_empty()
        lines = [line.partition("/cleanup[")[2].partition("]: ")[2] for line in mta.log_lines() if "/cleanup[" in line]
        said = [re.sub(r"delay=.*?, (?=dsn=)|\b[0-9A-F]{8,}\b", "", line) for line in lines if "message-id" not in line]
        return sorted(said), [path.name for path in (mta.queue_directory / "bounce").rglob("*") if path.is_file()]

    main = {
        **MAIN, **TOLD, "notify_classes": ", ".join(CLASSES), "hopcount_limit": "5", "message_size_limit": "3000",
        "virtual_mailbox_limit": "0",
    }  # fmt: skip
    parity(case, main=main, files=FILES, deliveries=True, logs="bounce")
