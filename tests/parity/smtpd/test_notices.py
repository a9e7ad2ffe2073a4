"""What the postmaster is told of sessions that went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.kit import processes
from tests.kit.instance import Instance
from tests.kit.smtp import Line

from .recording import Recorder

pytestmark = [pytest.mark.reference, pytest.mark.root]

SESSIONS: list[list[Line]] = [
    ["FOO"],
    ["MAIL FROM:<a@b..c>", "QUIT"],
    ["EHLO c", "MAIL FROM:<a@b>", "RCPT TO:<nobody@ours.example>", "RCPT TO:<a@elsewhere.example>", "QUIT"],
    ["EHLO c", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", "DATA", b"x\r\n.\r\n",
     "FOO \x01\u00e9x " + "long words here " * 8, "QUIT"],
    ["EHLO x", "MAIL FROM:<config@x>", "RCPT TO:<user@ours.example>"],
    ["MAIL FROM:<a@b> SIZE=99999999", "QUIT"],
    ["VRFY nobody@ours.example", "QUIT"],
    ["DATA", "AUTH x", "STARTTLS", "ETRN x", "QUIT"],
]  # fmt: skip
UNEVENTFUL: list[list[Line]] = [["NOOP", "QUIT"], ["EHLO c", "MAIL FROM:<a@b>", "RSET", "QUIT"]]


def test_transcripts(new_instance: Callable[..., Instance]) -> None:
    main = {
        "notify_classes": "resource, software, policy, protocol, bounce",
        "smtpd_sender_restrictions": "check_sender_access inline:{config@x=nonsense}",
    }
    seen = []
    for replace in (None, {"smtpd": "pyfix"}):
        mta = new_instance("reference", main=main, master={"cleanup": None}, replace=replace)
        mta.start()
        found = []
        with Recorder(mta.queue_directory / "public/cleanup") as recorder:
            for lines in [*SESSIONS, *UNEVENTFUL]:
                mta.dialogue(*lines)
                notices: list[list[tuple[str, bytes]]] = []

                def told(notices: list[list[tuple[str, bytes]]] = notices) -> bool:
                    notices += [
                        records for records in recorder.messages() if ("A", b"log_message_origin=local") in records
                    ]
                    return bool(notices)

                processes.wait_until(told, 5 if lines in SESSIONS else 0.3)
                found.append(
                    [
                        [(kind, re.sub(rb"\d\d:\d\d:\d\d|^\d{10} \d+$", b"<N>", data)) for kind, data in records]
                        for records in notices
                    ]
                )
        seen.append(found)
    theirs, ours = seen
    for lines, their, our in zip([*SESSIONS, *UNEVENTFUL], theirs, ours, strict=True):
        assert our == their, lines
    assert all(theirs[: len(SESSIONS)]) and not any(theirs[len(SESSIONS) :])
