"""What milters change in a message, and how the queue file shows it.

Source: MILTER_README; cleanup(8).
"""

from __future__ import annotations

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.milter import (
    CONTINUE,
    PROGRESS,
    Answer,
    Script,
    ScriptedMilter,
    add_header,
    add_recipient,
    add_recipient_with,
    change_header,
    change_sender,
    delete_recipient,
    insert_header,
    packet,
    quarantine,
    replace_body,
    reply,
)
from tests.kit.parity import Parity

from .sides import LATER, LOGS, message, prepare, session

pytestmark = pytest.mark.reference

_LINE = b"A line of the new body, and it is long enough to need some room.\r\n"
_MANY = "Received: from a\r\n by b\r\nX-A: 1\r\nx-a: 2\r\nSubject: folded\r\n\tline\r\n  third\r\nX-A: 3\r\nLast: z\r\n\r\nhello\r\n"
_LONG_BODY = "Subject: x\r\n\r\n" + "Some line that can be written over by a milter.\r\n" * 20

EDITS: dict[str, list[Answer]] = {
    "one header": [add_header("X-Seen", "yes")],
    "two headers": [add_header("X-Seen", "yes"), add_header("X-Seen-Too", "yes, and long enough for a pointer")],
    "folded header": [add_header("X-Seen", "one\n\ttwo\n three")],
    "header without value": [add_header("X-Seen", "")],
    "header without name": [add_header("", "value")],
    "header of 8 bits": [add_header("X-Seen", "gr\u00fc\u00dfe")],
    "very long header": [add_header("X-Long", "w" * 5000)],
    "too long header": [add_header("X-Long", "\n\t".join(["word" * 20] * 2000))],
    "inserted first": [insert_header(0, "X-First", "a")],
    "inserted twice first": [insert_header(0, "X-First", "a"), insert_header(0, "X-Before", "b")],
    "inserted second": [insert_header(1, "X-Second", "a")],
    "inserted everywhere": [insert_header(index, f"X-{index}", "a") for index in (5, 3, 1, 0, 2, 4)],
    "inserted far behind": [insert_header(1000, "X-Last", "a"), add_header("X-After", "b")],
    "inserted before a folded one": [insert_header(4, "X-Fourth", "a"), insert_header(5, "X-Fifth", "b")],
    "changed": [change_header(1, "Subject", "another")],
    "changed, index 0": [change_header(0, "subject", "another")],
    "changed, of several": [change_header(2, "X-A", "second")],
    "changed twice": [change_header(1, "X-A", "first"), change_header(1, "X-A", "again"), change_header(2, "X-A", "2nd")],
    "changed to a longer one": [change_header(1, "Subject", "long\n\t" + "word " * 30)],
    "changed the last": [change_header(1, "Last", "y"), add_header("Behind", "x")],
    "changed what is not there": [change_header(4, "X-A", "fourth"), change_header(1, "New", "n")],
    "changed Received": [change_header(1, "Received", "by c")],
    "changed our Received": [change_header(2, "Received", "by d")],
    "deleted": [change_header(1, "Subject", "")],
    "deleted several": [change_header(1, "X-A", ""), change_header(1, "X-A", ""), change_header(1, "X-A", "")],
    "deleted what is not there": [change_header(1, "Nothing", "")],
    "deleted the last": [change_header(1, "Last", ""), add_header("Behind", "x")],
    "deleted and inserted": [change_header(1, "X-A", ""), insert_header(2, "Ins", "i"), change_header(1, "Ins", "")],
    "added, changed, deleted": [add_header("N", "1"), change_header(1, "N", "2"), add_header("M", "3"), change_header(1, "N", "")],
    "null name": [change_header(1, "", "x")],
    "sender": [change_sender("<new@c.example>")],
    "sender without brackets": [change_sender("new@c.example")],
    "null sender": [change_sender("<>")],
    "senders, one after the other": [change_sender("<new@c.example>"), change_sender("<>"), change_sender("<x@d.example>")],
    "two senders at once": [change_sender("<a@c.example>, <b@c.example>")],
    "sender with arguments": [change_sender("<new@c.example>", "RET=HDRS ENVID=some+20id")],
    "sender with bad arguments": [change_sender("<new@c.example>", "BODY=8BITMIME RET=foo SIZE=1 FOO")],
    "sender with empty arguments": [change_sender("<new@c.example>", "")],
    "local sender": [change_sender("<localuser>")],
    "recipient": [add_recipient("<second@ours.example>")],
    "recipients": [add_recipient("<second@ours.example>"), add_recipient("mbox@ours.example")],
    "recipient twice": [add_recipient("<user@ours.example>"), add_recipient("<second@ours.example>"), add_recipient("<second@ours.example>")],
    "two recipients at once": [add_recipient("<a@ours.example>, <b@ours.example>")],
    "null recipient": [add_recipient("<>")],
    "local recipient": [add_recipient("<root>")],
    "recipient with arguments": [add_recipient_with("<second@ours.example>", "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;foo@bar")],
    "recipient with bad arguments": [add_recipient_with("<second@ours.example>", "NOTIFY=OFTEN ORCPT=foo FOO=bar BAR")],
    "recipient never told": [add_recipient_with("<second@ours.example>", "NOTIFY=NEVER")],
    "recipient with empty arguments": [add_recipient_with("<second@ours.example>", "")],
    "deleted recipient": [delete_recipient("<user@ours.example>"), add_recipient("<second@ours.example>")],
    "deleted the only recipient": [delete_recipient("user@ours.example")],
    "deleted in capitals": [delete_recipient("<USER@Ours.Example>"), add_recipient("<second@ours.example>")],
    "deleted an added one": [add_recipient("<second@ours.example>"), delete_recipient("<second@ours.example>")],
    "deleted a stranger": [delete_recipient("<nobody@ours.example>")],
    "deleted two at once": [delete_recipient("<user@ours.example>, <b@ours.example>")],
    "small body": [replace_body(b"tiny\r\n")],
    "empty body": [replace_body(b"")],
    "body without end of line": [replace_body(b"first\r\nsecond")],
    "body with bare newlines": [replace_body(b"first\nsecond\r\r\nthird\rfourth\r\n")],
    "large body": [replace_body(_LINE * 500), replace_body(_LINE * 500)],
    "body in small pieces": [replace_body(bytes((byte,))) for byte in b"a\r\nbc\r\n\r\nd"],
    "body with long lines": [replace_body(b"w" * 5000 + b"\r\n" + b"v" * 2048 + b"\r\nend\r\n")],
    "body that fits": [replace_body(_LINE * 3)],
    "body that fits partly": [replace_body(_LINE * 30)],
    "body and then header": [replace_body(_LINE), add_header("X-Seen", "yes")],
    "header and then body": [add_header("X-Seen", "yes"), replace_body(_LINE * 40)],
    "body around a header": [replace_body(_LINE), add_header("X-Seen", "yes"), replace_body(_LINE)],
    "body with progress": [replace_body(_LINE), PROGRESS, replace_body(_LINE)],
    "everything": [
        insert_header(0, "X-First", "a"), change_header(1, "X-A", "b"), add_header("X-Last", "c"),
        change_sender("<new@c.example>"), add_recipient("<second@ours.example>"), delete_recipient("<user@ours.example>"),
        replace_body(_LINE * 30), quarantine("for a while"),
    ],
    "data behind a request": [packet("h", b"A\0b\0more")],
    "header without terminator": [packet("h", b"A\0b")],
    "request without data": [packet("+")],
    "short number": [packet("i", b"\0\0")],
    "changes and then refused": [add_header("X-Seen", "yes"), reply("550 5.7.1 after all")],
}


@pytest.mark.parametrize("edits", EDITS)
def test_edits(parity: Parity, milter: ScriptedMilter, edits: str) -> None:
    script = Script({"eom": [*EDITS[edits], CONTINUE]})
    content = _LONG_BODY if edits.startswith("body") else _MANY
    parity(session({milter: script}, message(content)), main={"smtpd_milters": milter.endpoint, **LATER}, logs=LOGS)


@pytest.mark.parametrize("edits", ["everything", "large body", "body that fits partly", "inserted everywhere", "sender"])
def test_delivered(parity: Parity, milter: ScriptedMilter, edits: str) -> None:
    """The same with delivery: programs of both sides follow what was changed."""
    script = Script({"eom": [one for one in EDITS[edits] if one != quarantine("for a while")] + [CONTINUE]})

    def case(mta: Instance) -> None:
        prepare({milter: script})
        mta.dialogue(*message(_MANY), client=TRUSTED)
        mta.wait_until_empty()

    parity(case, main={"smtpd_milters": milter.endpoint}, logs=(*LOGS, "qmgr", "virtual"), deliveries=True)
