"""Every kind of notice is read by a parser that is not ours: the standard library's email package.

Source: RFC 3462 (multipart/report), RFC 3464 (message/delivery-status).
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.kit import smtp
from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import discard

pytestmark = pytest.mark.root

MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": "inline:{{gone.example=error:5.1.6 moved}, {later.example=retry:4.4.1 not now}, {taken.example=discard:}}",
    "delay_warning_time": "1s", "minimal_backoff_time": "1s", "queue_run_delay": "1s", "maximal_queue_lifetime": "1d",
}  # fmt: skip
SENDER = "user@ours.example"


@pytest.fixture(scope="module")
def mta() -> Iterator[Instance]:
    instance = Instance("pyfix", main=MAIN)
    try:
        instance.start()
        yield instance
    finally:
        discard(instance)


def _send(mta: Instance, parameters: str, *recipients: str) -> None:
    lines = ["EHLO c.example", f"MAIL FROM:<{SENDER}> ENVID=id+2B1 {parameters}", *(f"RCPT TO:{one}" for one in recipients)]
    content = smtp.dot_stuffed(b"Subject: the original\n\nthe text\n")
    _, replies = smtp.dialogue(mta.host, mta.port, [*lines, "DATA", content, "QUIT"], TRUSTED)
    assert replies[-2].startswith("250 "), replies


def _notice(mta: Instance) -> EmailMessage:
    mta.wait_for_log(rf"to=<{SENDER}>.*status=sent", seconds=30)
    (text,) = [text for texts in mta.deliveries().values() for text in texts]
    parsed = email.message_from_bytes(text, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    assert not [part.defects for part in parsed.walk() if part.defects]
    return parsed


@pytest.mark.parametrize(
    ("parameters", "recipients", "subject", "actions", "returned"),
    [
        ("RET=FULL", ["<a@gone.example> NOTIFY=FAILURE ORCPT=rfc822;old@x.example"], "Undelivered Mail Returned to Sender",
         ["failed"], "message/rfc822"),
        ("RET=HDRS", ["<a@gone.example>", "<b@gone.example>"], "Undelivered Mail Returned to Sender",
         ["failed", "failed"], "text/rfc822-headers"),
        ("", ["<a@taken.example> NOTIFY=SUCCESS"], "Successful Mail Delivery Report", ["relayed", "delivered"], "text/rfc822-headers"),
        ("", ["<a@later.example> NOTIFY=DELAY"], "Delayed Mail (still being retried)", ["delayed"], "text/rfc822-headers"),
    ],
)  # fmt: skip
def test_a_notice(
    mta: Instance, parameters: str, recipients: list[str], subject: str, actions: list[str], returned: str
) -> None:
    mta.forget()
    _send(mta, parameters, *recipients)
    notice = _notice(mta)
    assert notice["Subject"] == subject
    assert notice.get_content_type() == "multipart/report"
    assert notice.get_param("report-type") == "delivery-status"
    assert notice["Auto-Submitted"] in ("auto-replied", "auto-generated")
    text, status, original = notice.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    about, *each = status.get_payload()
    assert about["Reporting-MTA"].startswith("dns; ")
    assert about["Original-Envelope-Id"] == "id+1"
    assert len(each) == len(recipients)
    for fields, recipient in zip(each, recipients, strict=True):
        assert fields["Action"] in actions
        assert fields["Final-Recipient"] == f"rfc822; {recipient[1 : recipient.index('>')]}"
        assert fields["Status"][0] == {"failed": "5", "delayed": "4"}.get(fields["Action"], "2")
    if "ORCPT" in recipients[0]:
        assert each[0]["Original-Recipient"] == "rfc822;old@x.example"
    assert original.get_content_type() == returned
    shown = original.get_payload()
    shown = shown if isinstance(shown, str) else "".join(str(part) for part in shown)
    assert "the original" in shown
    assert ("the text" in shown) is (returned == "message/rfc822")


@pytest.mark.parametrize(
    ("option", "input", "wanted"),
    [
        ("-bv", b"", {"a@taken.example": "deliverable", "b@gone.example": "undeliverable"}),
        ("-v", b"Subject: x\n\ny\n", {"a@taken.example": "delivered"}),
    ],
)
def test_a_report_that_was_asked_for(mta: Instance, option: str, input: bytes, wanted: dict[str, str]) -> None:
    mta.forget()
    done = mta.run("sendmail", option, "-f", SENDER, *wanted, input=input)
    assert b"Mail Delivery Status Report will be mailed to" in done.stdout
    notice = _notice(mta)
    assert notice["Subject"] == "Mail Delivery Status Report"
    _text, status, *_ = notice.iter_parts()
    _about, *each = status.get_payload()
    assert {fields["Final-Recipient"].partition("; ")[2]: fields["Action"] for fields in each} == wanted
