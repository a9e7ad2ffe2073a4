"""Milters for mail of local origin: non_smtpd_milters.

Source: MILTER_README; postconf(5) non_smtpd_milters, internal_mail_filter_classes.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit.instance import Instance
from tests.kit.milter import (
    ACCEPT,
    CONTINUE,
    DISCARD,
    HANG_UP,
    REJECT,
    SHUTDOWN,
    TEMPFAIL,
    Answer,
    Script,
    ScriptedMilter,
    add_header,
    add_recipient,
    change_header,
    change_sender,
    delete_recipient,
    insert_header,
    quarantine,
    replace_body,
    reply,
)
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

from .sides import LATER, prepare, seen, session, wait_for_cleanup

pytestmark = pytest.mark.reference

CONTENT = b"Subject: x\nX-Two: 2\n\nhello\n"
EVERYTHING: list[Answer] = [
    add_header("X-Seen", "yes"), insert_header(0, "X-First", "1"), change_header(1, "Subject", "y"),
    change_sender("<new@c.example>"), add_recipient("<second@ours.example>"), delete_recipient("<user@ours.example>"),
    replace_body(b"another\r\n"),
]  # fmt: skip
SCRIPTS: dict[str, Script] = {
    "nothing": Script(),
    "everything": Script({"eom": [*EVERYTHING, CONTINUE]}),
    "no events": Script(protocol=0x37F),
    "version 2": Script(version=2),
    "accepts at connect": Script({"connect": [ACCEPT]}),
    "accepts at rcpt": Script({"rcpt": [ACCEPT]}),
    "accepts at eoh": Script({"eoh": [ACCEPT]}),
    "rejects": Script({"eom": [REJECT]}),
    "rejects with a reply": Script({"eom": [reply("550 5.7.9 no no")]}),
    "rejects without status": Script({"eom": [reply("554 no no")]}),
    "rejects at eoh": Script({"eoh": [REJECT]}),
    "rejects at connect": Script({"connect": [REJECT]}),
    "rejects at helo": Script({"helo": [REJECT]}),
    "rejects at mail": Script({"mail": [reply("550 5.7.9 no no")]}),
    "rejects at data": Script({"data": [REJECT]}),
    "discards at mail": Script({"mail": [DISCARD]}),
    "discards at rcpt": Script({"rcpt": [DISCARD]}),
    "discards": Script({"eom": [DISCARD]}),
    "holds": Script({"eom": [quarantine("wait"), CONTINUE]}),
    "holds at connect": Script({"connect": [quarantine("wait"), CONTINUE]}),
    "holds at rcpt": Script({"rcpt": [quarantine("wait"), CONTINUE]}),
    "wants its own macros": Script(symbols={0: "j {client_addr}", 2: "i", 3: "{mail_addr} {rcpt_addr}", 5: "v"}),
}


def submit(milter: ScriptedMilter, script: Script, *arguments: str, content: bytes = CONTENT) -> Callable[[Instance], str]:
    """Return a case in which a local user sends a message."""

    def case(mta: Instance) -> str:
        prepare({milter: script})
        done = mta.run("sendmail", *arguments, input=content)
        assert done.returncode == 0, done
        mta.wait_for_log(r"pickup\[.*: uid=")
        wait_for_cleanup(mta)
        return seen(mta, {milter: script})

    return case


@pytest.mark.parametrize("script", SCRIPTS)
def test_answers(parity: Parity, milter: ScriptedMilter, script: str) -> None:
    case = submit(milter, SCRIPTS[script], "-f", "from@b.example", "user@ours.example", "mbox@ours.example")
    main = {"non_smtpd_milters": milter.endpoint, **LATER}
    parity(case, main=main, logs=("cleanup",), fresh="rejects" in script or "macros" in script)


LATER_SCRIPTS: dict[str, Script] = {
    "at the end": Script({"eom": [TEMPFAIL]}),
    "at connect": Script({"connect": [TEMPFAIL]}),
    "at mail": Script({"mail": [reply("450 4.7.9 not yet")]}),
    "at rcpt": Script({"rcpt": [REJECT]}),
    "at data": Script({"data": [TEMPFAIL]}),
    "shuts down at connect": Script({"connect": [SHUTDOWN]}),
    "shuts down at the end": Script({"eom": [SHUTDOWN]}),
    "hangs up at connect": Script({"connect": [HANG_UP]}),
    "hangs up at eoh": Script({"eoh": [HANG_UP]}),
}


@pytest.mark.parametrize("script", LATER_SCRIPTS)
def test_refused_for_now(parity: Parity, milter: ScriptedMilter, script: str) -> None:
    """The message stays in maildrop; pickup may come again at once, or later: only the first time is compared."""

    def case(mta: Instance) -> str:
        prepare({milter: LATER_SCRIPTS[script]})
        mta.run("sendmail", "-f", "from@b.example", "user@ours.example", "mbox@ours.example", input=CONTENT)
        first = mta.wait_for_log(r"cleanup\[\d+\]: (\w+): removed \(canceled\)")[1]
        mta.settle()
        log = [line.partition("]: ")[2] for line in mta.log_lines() if f"{first}:" in line]
        heard = "\n".join(milter.events()).partition("-- 2")[0]
        left = sorted(mta.queue())
        for name in mta.queue().get("maildrop", []):
            (mta.queue_directory / "maildrop" / name).unlink(missing_ok=True)
        return "\n".join([heard.rstrip(), *log, *left])

    parity(case, main={"non_smtpd_milters": milter.endpoint, **LATER})


ARGUMENTS: dict[str, tuple[tuple[str, ...], bytes]] = {
    "recipients of headers": (("-f", "from@b.example", "-t"), b"To: user@ours.example, mbox@ours.example\nSubject: x\n\nhi\n"),
    "null sender": (("-f", "", "user@ours.example"), CONTENT),
    "no body": (("-f", "from@b.example", "user@ours.example"), b"Subject: x\n"),
    "no header": (("-f", "from@b.example", "user@ours.example"), b"hello\n"),
    "aliased": (("-f", "from@b.example", "list@ours.example"), CONTENT),
    "full name": (("-F", "A B", "-f", "from@b.example", "user@ours.example"), CONTENT),
    "notify": (("-N", "success,delay", "-V", "env", "-R", "hdrs", "-f", "from@b.example", "user@ours.example"), CONTENT),
}


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_messages(parity: Parity, milter: ScriptedMilter, arguments: str) -> None:
    words, content = ARGUMENTS[arguments]
    main = {
        "non_smtpd_milters": milter.endpoint,
        "virtual_alias_maps": "inline:{list@ours.example=user@ours.example second@ours.example}".replace("{l", "{ {l").replace("}", "} }"),
        **LATER,
    }
    script = Script({"eom": [*EVERYTHING, CONTINUE]})
    parity(submit(milter, script, *words, content=content), main=main, logs=("cleanup",))


@pytest.mark.parametrize("override", ["", "no_milters"])
def test_mail_from_the_network(parity: Parity, milter: ScriptedMilter, override: str) -> None:
    """Milters for local mail are not for this; the file has room for them all the same."""
    main = {"non_smtpd_milters": milter.endpoint, "receive_override_options": override, **LATER}
    parity(session({milter: Script()}), main=main, logs=("cleanup", "smtpd"))


@pytest.mark.parametrize("classes", ["", "bounce"])
def test_notices(parity: Parity, milter: ScriptedMilter, classes: str) -> None:
    def case(mta: Instance) -> str:
        prepare({milter: Script()})
        mta.run("sendmail", "-f", "user@ours.example", "nobody@ours.example", input=CONTENT)
        mta.wait_for_log("sender non-delivery notification: ")
        mta.wait_for_log("qmgr.*removed")
        assert wait_until(lambda: len([one for ids in mta.queue().values() for one in ids]) == 1, 10)
        mta.settle()
        heard = [line for line in milter.events() if not line.startswith(("macro", "body", "header Content-Type"))]
        return "\n".join(heard)

    main = {"non_smtpd_milters": milter.endpoint, "internal_mail_filter_classes": classes, "defer_transports": "virtual:x"}
    main = {name: value for name, value in main.items() if name != "defer_transports"}
    parity(case, main={**main, "virtual_transport": "retry:later", "transport_maps": "inline:{nobody@ours.example=virtual:}".replace("{n", "{ {n").replace("}", "} }")}, logs=("cleanup",))
