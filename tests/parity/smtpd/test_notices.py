"""What the postmaster is told of sessions that went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.kit import processes
from tests.kit.instance import STRANGER, Instance
from tests.kit.smtp import Dialogue, Line

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


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "error_notice_recipient": "errors@ours.example", "bounce_notice_recipient": "bounces@elsewhere.example",
            "header_from_format": "obsolete", "smtpd_history_flush_threshold": "1",
        },
    ],
    ids=["usual", "everything else"],
)  # fmt: skip
def test_transcripts(new_instance: Callable[..., Instance], more: dict[str, str]) -> None:
    main = more | {
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

                processes.wait_until(told, 10 if lines in SESSIONS else 0.3)
                mta.settle()
                told()  # of one session there may be several
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


ERRORS: list[Line] = [
    "ETRN relay.example", "ETRN ours.example", "ETRN", "ETRN _", "HELO", "VRFY", "VRFY nobody@ours.example", "VRFY a@b", "AUTH", "STARTTLS", "DATA",
    "MAIL FROM:<a b>", "MAIL FROM:<a@b> FOO", "MAIL FROM:<a@b> SIZE=99999999", "MAIL FROM:<a@b> XVERP", "RCPT TO:<a@b>", "BDAT x", "RSET x", "XCLIENT",
    "XCLIENT FOO=1", "XFORWARD", "XCLIENT NAME=a", "XFORWARD NAME=a", "XFORWARD FOO=1", "FOO", "",
]  # fmt: skip
PEERS = {"policy": ("127.3.0.1", "10.0.0.1"), "protocol": ("127.3.0.2", "10.0.0.1"), "policy, protocol": ("127.3.0.3", "127.0.0.1")}
"""By notify_classes: the address of an smtpd, and who may XCLIENT and XFORWARD with it."""


def test_each_error(new_instance: Callable[..., Instance]) -> None:
    """To which class each belongs, where each is told of at once."""
    master: dict[str, str | None] = {
        f"{address}:{{port}}": f"{address}:{{port}} inet n - n - - smtpd -o {{ notify_classes = {classes} }} "
        f"-o smtpd_authorized_xclient_hosts={friend} -o smtpd_authorized_xforward_hosts={friend}"
        for classes, (address, friend) in PEERS.items()
    }
    main = {"smtpd_history_flush_threshold": "1", "fast_flush_domains": "ours.example"}
    seen = []
    for replace in (None, {"smtpd": "pyfix"}):
        mta = new_instance("reference", main=main, master=master | {"cleanup": None, "flush": None}, replace=replace)
        mta.start()
        found = []
        with Recorder(mta.queue_directory / "public/cleanup") as recorder:
            for classes, (address, _) in PEERS.items():
                for command in ERRORS:
                    with Dialogue(address, mta.port, STRANGER) as client:
                        said = [*client.say("EHLO c"), *client.say(command), *client.say("QUIT")]
                    mta.settle()
                    told = [[data for kind, data in records if kind == "N"][7:] for records in recorder.messages()]
                    found.append((classes, command, said, told))
        seen.append(found)
    theirs, ours = seen
    assert not [(our, their) for our, their in zip(ours, theirs, strict=True) if our != their]
    assert {classes for classes, _, _, told in ours if told} == set(PEERS)
