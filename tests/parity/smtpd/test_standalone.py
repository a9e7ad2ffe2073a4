"""sendmail -bs: one session on standard input and output."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.kit.instance import Instance

pytestmark = [pytest.mark.reference, pytest.mark.root]

SESSIONS = [
    b"EHLO x\r\nMAIL FROM:<a@b> BODY=8BITMIME\r\nRCPT TO:<user@ours.example>\r\nRCPT TO:<mbox@ours.example> NOTIFY=NEVER\r\n"
    b"DATA\r\nSubject: x\r\n\r\n..hi\r\n.\r\nVRFY x\r\nETRN ours.example\r\nXCLIENT NAME=a\r\nQUIT\r\n",
    b"NOOP\r\n",
    b"EHLO x\nMAIL FROM:<a b>\nMAIL FROM:<a@b..c>\nRCPT TO:<user@ours.example>\nDATA\nx\n.\nQUIT\n",
]


def test_sessions(new_instance: Callable[..., Instance]) -> None:
    seen = []
    for replace in (None, {"smtpd": "pyfix"}):
        mta = new_instance("reference", replace=replace)
        mta.start()
        found = []
        for number, session in enumerate(SESSIONS, 1):
            done = mta.run("sendmail", "-bs", input=session)
            replies = re.sub(rb"queued as \w+", b"queued as ID", done.stdout)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=number)
            found.append((done.returncode, replies, done.stderr))
        mta.wait_until_empty()
        texts = [line.partition("]: ")[2] for line in mta.log_lines() if "/smtpd[" in line]
        mail = {
            box: [re.sub(rb"(?m)^\t.*|[0-9A-F]{8,}|\d{14}|\d\d:\d\d:\d\d", b"<N>", content) for content in contents]
            for box, contents in mta.deliveries().items()
        }
        seen.append((found, [re.sub(r"^[0-9A-F]{6,}", "ID", text) for text in texts], mail))
    theirs, ours = seen
    assert ours == theirs
