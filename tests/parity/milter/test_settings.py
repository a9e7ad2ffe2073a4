"""How each milter is talked to, and what happens when that is not possible.

Source: MILTER_README; postconf(5) milter_default_action, milter_protocol, milter_*_timeout.
"""

from __future__ import annotations

import struct

import pytest

from tests.kit.milter import (
    CONTINUE,
    HANG_UP,
    Answer,
    Script,
    ScriptedMilter,
    add_header,
    packet,
    reply,
)
from tests.kit.parity import Parity

from .sides import LATER, LOGS, message, session

pytestmark = pytest.mark.reference

ACTIONS = ("accept", "reject", "tempfail", "quarantine", "shutdown", "450 4.5.6 some reply", "nonsense")
TROUBLE: dict[str, Script] = {
    "hangs up at connect": Script({"connect": [HANG_UP]}),
    "hangs up at rcpt": Script({"rcpt": [HANG_UP]}),
    "hangs up at eoh": Script({"eoh": [HANG_UP]}),
    "malformed reply to rcpt": Script({"rcpt": [reply("650 x")]}),
    "malformed reply to the end": Script({"eom": [reply("650 x")]}),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_default_actions(parity: Parity, milter: ScriptedMilter, action: str) -> None:
    """Some cases in one system: each of them is another session."""
    for script in TROUBLE.values():
        parity(
            session({milter: script}),
            main={"smtpd_milters": milter.endpoint, "milter_default_action": action, **LATER},
            logs=LOGS,
        )


NOBODY = ("inet:127.0.0.1:1", "unix:/nonexistent/socket", "nonsense", "tcp:127.0.0.1:1", "unix:",
          "inet:no.such.host.invalid:25")  # fmt: skip


@pytest.mark.parametrize("endpoint", NOBODY)
def test_nobody_is_there(parity: Parity, milter: ScriptedMilter, endpoint: str) -> None:
    main = {"smtpd_milters": f"{endpoint} {milter.endpoint}", "milter_default_action": "accept", **LATER}
    parity(session({milter: Script()}), main=main, logs=LOGS)


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_is_there_by_action(parity: Parity, milter: ScriptedMilter, action: str) -> None:
    main = {"smtpd_milters": f"{{inet:127.0.0.1:1, {{default_action={action}}}}}, {milter.endpoint}", **LATER}
    parity(session({milter: Script()}), main=main, logs=LOGS)


SILENCE: dict[str, dict[str, list[Answer]]] = {
    "command": {"rcpt": [2.5, CONTINUE]},
    "content": {"body": [2.5, CONTINUE]},
    "end": {"eom": [add_header("X-Seen", "yes"), 2.5, CONTINUE]},
}


@pytest.mark.parametrize("silence", SILENCE)
def test_time_limits(parity: Parity, milter: ScriptedMilter, silence: str) -> None:
    spec = f"{{ {milter.endpoint}, command_timeout=1s, content_timeout=1, default_action=tempfail }}"
    parity(session({milter: Script(SILENCE[silence])}), main={"smtpd_milters": spec, **LATER}, logs=LOGS)


def test_time_limit_of_the_agreement(parity: Parity, milter: ScriptedMilter) -> None:
    main = {"smtpd_milters": milter.endpoint, "milter_command_timeout": "1s", **LATER}
    parity(session({milter: Script(greeting=[2.5])}), main=main, logs=LOGS)


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


GREETINGS: dict[str, list[Answer]] = {
    "version 1": [packet("O", numbers(1, 0, 0))],
    "version 2": [packet("O", numbers(2, 0, 0))],
    "version 3": [packet("O", numbers(3, 0, 0))],
    "version 4": [packet("O", numbers(4, 0, 0))],
    "version 5": [packet("O", numbers(5, 0, 0))],
    "version 7": [packet("O", numbers(7, 0, 0))],
    "more modifications": [packet("O", numbers(6, 0xFFFF, 0))],
    "more events": [packet("O", numbers(6, 0, 0xFFFFFFFF))],
    "short": [packet("O", numbers(6))],
    "empty": [packet("O")],
    "too long": [packet("O", numbers(6, 0, 0) + b"abc")],
    "longer, version 2": [packet("O", numbers(2, 0, 0, 5))],
    "macros of an unknown stage": [packet("O", numbers(6, 0, 0, 77) + b"j i\0" + numbers(0) + b"j\0")],
    "macros without an end": [packet("O", numbers(6, 0, 0, 1) + b"j i")],
    "another packet": [CONTINUE],
    "nothing": [HANG_UP],
    "no length": [b"\0\0\0\0"],
    "too much": [b"\x7f\0\0\0O"],
    "negative length": [b"\xff\0\0\0O"],
    "part of a length": [b"\0\0", HANG_UP],
}


@pytest.mark.parametrize("greeting", GREETINGS)
def test_greetings(parity: Parity, milter: ScriptedMilter, greeting: str) -> None:
    script = Script(greeting=GREETINGS[greeting])
    parity(session({milter: script}), main={"smtpd_milters": milter.endpoint, **LATER}, logs=LOGS)


PROTOCOLS = ("2", "3", "4", "5", "6", "6, no_header_reply", "4,7", "no_header_reply", "3,no_header_reply", "6 what")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_protocols(parity: Parity, milter: ScriptedMilter, protocol: str) -> None:
    """A milter that speaks version 2 only is understood by all of them."""
    main = {"smtpd_milters": milter.endpoint, "milter_protocol": protocol, **LATER}
    for version in (2, 6):
        parity(session({milter: Script(version=version)}), main=main, logs=LOGS)


EVENTS = {
    "none": 0x3FF & ~0x80,
    "no answers": 0xFF000 | 0x80,
    "no answers, no headers": 0xFF000 | 0x80 | 0x20,
    "no body": 0x10,
    "no end of header": 0x40,
    "no connect": 1,
    "no helo": 2,
    "no mail": 4,
    "no rcpt": 8,
    "no data": 0x200,
    "no unknown": 0x100,
    "leading blanks": 1 << 20,
    "refused recipients": 1 << 11,
}


@pytest.mark.parametrize("events", EVENTS)
def test_events_that_are_not_wanted(parity: Parity, milter: ScriptedMilter, events: str) -> None:
    changes = [add_header("X-Seen", " yes"), add_header("X-Too", "no")]
    script = Script({"eom": [*changes, CONTINUE]}, protocol=EVENTS[events])
    lines = (
        "EHLO client.example", "XFOO", "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>",
        "RCPT TO:<bad@ours.example>", "RCPT TO:<nobody@elsewhere.example>", "RCPT TO:<worse", *message(
            "Subject:x\r\nX-A:  y\r\nX-B:\tz\r\n w\r\nX-C:\r\nX-D : e\r\nX-E:\r\n f\r\n\r\nhello\r\n"
        )[3:],
    )  # fmt: skip
    restrictions = "check_recipient_access inline:{{bad@ours.example = 550 5.7.1 not that}}"
    main = {
        "smtpd_milters": milter.endpoint,
        "smtpd_recipient_restrictions": restrictions.replace("{{", "{ {").replace("}}", "} }"),
        **LATER,
    }
    parity(session({milter: script}, lines, client="127.0.0.1"), main=main, logs=LOGS)
