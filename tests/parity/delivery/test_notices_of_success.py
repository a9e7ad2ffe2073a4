"""DSN NOTIFY=SUCCESS for each agent that delivers: the notices that come back are the reference's to the byte.

Source: RFC 3461 sections 4.1, 5.2; RFC 3464 section 2.3.3; trace(8); local(8), virtual(8), discard(8), error(8).
"""

from __future__ import annotations

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix", "virtual": "pyfix", "discard": "pyfix", "error": "pyfix", "bounce": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "notify_classes": "",
    "alias_maps": "texthash:{dir}/etc/aliases",
    "virtual_alias_maps": "inline:{{many@ours.example=second@ours.example games@localhost}}",
    "transport_maps": "inline:{{gone.example=discard:2.1.7 as asked}, {plain.example=discard:silently}, "
    "{later.example=retry:4.3.0 later}, {refused.example=error:5.7.1 no way}}",
}
FILES: dict[str, str | bytes] = {
    "aliases": "one games\nlist second@ours.example, games\nowner-list daemon\nlist2 second@ours.example\nboth daemon, news\n"
    "bad a@refused.example, games\nblist a@refused.example, nosuchuser\nowner-blist second@ours.example\nin one, bad\n"
}
_ORCPT = "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;First+2BTo@x.test"
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "mailbox": ("", ("<games@localhost> NOTIFY=SUCCESS",)),
    "mailbox, extension": ("RET=FULL ENVID=a+2Bb", (f"<Games+Ext@localhost> {_ORCPT}",)),
    "virtual mailbox": ("RET=HDRS", (f"<mbox@ours.example> {_ORCPT}",)),
    "Maildir": ("", ("<second@ours.example> NOTIFY=SUCCESS,DELAY",)),
    "discarded": ("", ("<a@gone.example> NOTIFY=SUCCESS",)),
    "discarded without a code": ("BODY=8BITMIME", (f"<a@plain.example> {_ORCPT}",)),
    "several": ("", ("<a@gone.example> NOTIFY=SUCCESS", "<b@gone.example> NOTIFY=FAILURE", "<c@gone.example> NOTIFY=SUCCESS")),
    "alias of one": ("", (f"<one@localhost> {_ORCPT}",)),
    "alias of a list": ("", ("<list@localhost> NOTIFY=SUCCESS",)),
    "alias elsewhere": ("", ("<list2@localhost> NOTIFY=SUCCESS",)),
    "alias of two": ("", ("<both@localhost> NOTIFY=SUCCESS",)),
    "alias that fails": ("RET=HDRS ENVID=a+2Bb", (f"<bad@localhost> {_ORCPT}",)),
    "alias that fails, not wanted": ("", ("<bad@localhost> NOTIFY=SUCCESS",)),
    "alias that fails, nothing said": ("RET=FULL", ("<bad@localhost>",)),
    "list that fails": ("RET=HDRS ENVID=a+2Bb", (f"<blist@localhost> {_ORCPT}",)),
    "alias in an alias": ("", (f"<in@localhost> {_ORCPT}",)),
    "alias in an alias, extension": ("", (f"<in+ext@localhost> {_ORCPT}",)),
    "alias with extension": ("", (f"<both+Ext@localhost> {_ORCPT}",)),
    "alias of one with extension": ("", (f"<one+Ext@localhost> {_ORCPT}",)),
    "virtual alias": ("", ("<many@ours.example> NOTIFY=SUCCESS",)),
    "failed": ("", (f"<a@refused.example> {_ORCPT}",)),
    "never": ("", ("<games@localhost> NOTIFY=NEVER", "<second@ours.example> NOTIFY=FAILURE")),
    "SMTPUTF8": ("SMTPUTF8", ("<\u00e4@gone.example> NOTIFY=SUCCESS",)),
    "postmaster": ("", ("<postmaster@localhost> NOTIFY=SUCCESS",)),
    "unknown": ("", (f"<nosuchuser@localhost> {_ORCPT}", f"<nosuch@ours.example> {_ORCPT}")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_notices(exchanged: Parity, name: str) -> None:
    mail, recipients = CASES[name]

    def case(mta: Instance) -> None:
        for recipient in recipients:  # one after the other, or their order is anybody's
            mta.dialogue(
                "EHLO client.example", f"MAIL FROM:<user@ours.example> {mail}".rstrip(), f"RCPT TO:{recipient}", "DATA",
                "Subject: t\u00e4st\r\nX-Long: a\r\n b\r\n\r\nHello\r\n.", "QUIT",
                client=TRUSTED,
            )  # fmt: skip
            mta.wait_until_empty()

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True, logs=("local", "virtual", "discard", "error", "bounce"))


def test_several_recipients_of_one_message(exchanged: Parity) -> None:
    """One notice tells of all that wanted it, in the order of their deliveries."""

    def case(mta: Instance) -> None:
        wishes = ("SUCCESS", "FAILURE", "SUCCESS,DELAY", "NEVER", "SUCCESS,FAILURE")
        recipients = [f"RCPT TO:<r{number}@gone.example> NOTIFY={wish}" for number, wish in enumerate(wishes)]
        mta.dialogue("EHLO c", "MAIL FROM:<user@ours.example>", *recipients, "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT", client=TRUSTED)
        mta.wait_until_empty()

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True, logs=("discard", "bounce"))
