"""DSN NOTIFY=SUCCESS for each agent that delivers: the notices that come back are the reference's to the byte.

Source: RFC 3461 sections 4.1, 5.2; RFC 3464 section 2.3.3; trace(8); local(8), virtual(8), discard(8), error(8).
"""

from __future__ import annotations

import re

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
    "bad a@refused.example, games\nblist a@refused.example\nowner-blist second@ours.example\nin one, both\n"
    "deep in, bad, blist, Games, a@REFUSED.example\nwaits games, man, a@gone.example\nagain games, deep, one, both\n"
}
_ORCPT = "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;First+2BTo@x.test"
_FAILURES = "NOTIFY=FAILURE,DELAY ORCPT=rfc822;First+2BTo@x.test"
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
    "alias that fails": ("RET=HDRS ENVID=a+2Bb", (f"<bad@localhost> {_FAILURES}",)),
    "alias that fails, nothing said": ("RET=FULL", ("<bad@localhost>",)),
    "list that fails": ("RET=HDRS ENVID=a+2Bb", (f"<blist@localhost> {_FAILURES}",)),
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

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True, logs=("local", "discard", "error", "bounce"))


def test_several_recipients_of_one_message(exchanged: Parity) -> None:
    """One notice tells of all that wanted it, in the order of their deliveries."""

    def case(mta: Instance) -> None:
        wishes = ("SUCCESS", "FAILURE", "SUCCESS,DELAY", "NEVER", "SUCCESS,FAILURE")
        recipients = [f"RCPT TO:<r{number}@gone.example> NOTIFY={wish}" for number, wish in enumerate(wishes)]
        mta.dialogue("EHLO c", "MAIL FROM:<user@ours.example>", *recipients, "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT", client=TRUSTED)
        mta.wait_until_empty()

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True, logs=("discard", "bounce"))


def test_who_wants_success_only(exchanged: Parity) -> None:
    """Behind the alias nothing is left of the wish: no notice of what fails there."""

    def case(mta: Instance) -> list[str]:
        mail = "MAIL FROM:<user@ours.example>"
        mta.dialogue("EHLO c", mail, "RCPT TO:<bad@localhost> NOTIFY=SUCCESS", "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT", client=TRUSTED)
        mta.wait_until_empty()
        return sorted(re.findall(r"(?m)^Subject: .*", b"".join(mta.deliveries()["user/"]).decode()))

    assert exchanged(case, main=MAIN, files=FILES, replace=OURS).result == ["Subject: Successful Mail Delivery Report", "Subject: x"]


@pytest.mark.parametrize("name", ["deep", "waits", "in", "bad", "blist", "again"])
def test_each_gets_it_once(exchanged: Parity, name: str) -> None:
    """However many aliases lead to a user or an address; and nothing is sent on while somebody here still waits."""

    def case(mta: Instance) -> object:
        box = mta.directory / "localmail/man"  # of root: his mail waits
        box.write_text("")
        box.chmod(0o666)
        mta.send_message(f"{name}@localhost", sender="back@gone.example")
        if name == "waits":
            mta.wait_for_log(r"to=<man@.*status=deferred")
            mta.settle()
        else:
            mta.wait_until_empty()
        lines = [line.partition(": to=")[2] for line in mta.log_lines() if ": to=<" in line]
        lines = [re.sub(r"relay=.*?, dsn=", "dsn=", re.sub(r"forwarded as \w+", "forwarded", line)) for line in lines]
        boxes = {name: len(messages) for name, messages in mta.deliveries().items()}
        return sorted(line.replace(str(mta.directory), "") for line in lines), boxes

    exchanged(case, main=MAIN, files=FILES, replace=OURS)
