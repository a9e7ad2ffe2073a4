"""bounce(8) asked over its sockets: replies, the logs that it keeps and removes, its log lines and notices.

Source: bounce(8); the reference's replies.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence

import pytest

from tests.kit import requirements, spool
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

APPEND, FLUSH, WARN, VERP, ONE, TRACE = range(6)
ID = "<ID>"
"""Stands for the queue id of the message that lies on hold."""

Fields = dict[str, str | None]
Request = tuple[str, Fields]
"""Service and attributes; one that is None is left out."""

_ENTRY: Fields = {
    "original_recipient": "orig@x.test", "recipient": "a@refused.example", "offset": "0", "dsn_orig_rcpt": "rfc822;orig@x.test",
    "notify_flags": "0", "status": "5.7.1", "diag_type": "smtp", "diag_text": "550 5.7.1 no", "mta_type": "dns",
    "mta_mname": "mx.refused.example", "action": "failed", "reason": "host mx.refused.example said: 550 5.7.1 no",
}  # fmt: skip
_MESSAGE: Fields = {
    "queue_name": "hold", "queue_id": ID, "encoding": "7bit", "sendopts": "0", "sender": "user@ours.example",
    "envelope_id": "", "ret_flags": "0",
}  # fmt: skip


def append(service: str = "bounce", **changes: str | None) -> Request:
    return service, {"nrequest": str(APPEND), "flags": "0", "queue_id": ID, **_ENTRY, **changes}


def about(code: int, service: str = "bounce", **changes: str | None) -> Request:
    more: Fields = {VERP: {"verp_delimiters": "+="}, ONE: _ENTRY}.get(code, {})
    return service, {"nrequest": str(code), "flags": "0", **_MESSAGE, **more, **changes}


def raw(service: str, text: str) -> Request:
    return service, dict(word.split("=", 1) for word in text.split())  # type: ignore[misc]  # values are text


_PLAIN: Fields = {
    "original_recipient": "", "dsn_orig_rcpt": "", "diag_type": "", "diag_text": "", "mta_type": "", "mta_mname": "",
}  # fmt: skip

SCENARIOS: dict[str, list[Request]] = {
    "entries": [
        append(),
        append(**_PLAIN),
        append(recipient=""),
        append(recipient="a b@x.test", original_recipient='q"r@x.test'),
        append(recipient="A@Refused.example", original_recipient="a@refused.EXAMPLE"),
        append(recipient="\u00e9@x.test", original_recipient="\u00e8", reason="\u00e9\u00e8"),
        append(reason="one\ntwo\rthree\tfour\x01"),
        append(reason=""),
        append(status=""),
        append(status="nonsense"),
        append(action="", diag_text="", mta_type=""),
        append(action="odd"),
        append(offset="-5"),
        append(offset="77"),
        append(notify_flags="15"),
        append(dsn_orig_rcpt="nonsense"),
        append(dsn_orig_rcpt="utf-8;\u00e9"),
        append("defer"),
        append("trace"),
        append(flags="1"),
        append(diag_text="a\nb", mta_mname="c\nd"),
        append(recipient="x" * 3000, reason="y" * 5000),
    ],
    "bad queue ids": [append(queue_id=queue_id) for queue_id in ("", "../x", "a/b", "A" * 200, "ABC DEF", "abc", "-", ".")],
    "nothing to say": [about(code, service) for code in (FLUSH, WARN, VERP, TRACE) for service in ("bounce", "defer", "trace")],
    "malformed": [
        append(queue_id=None), append(reason=None), append(recipient=None), append(offset=None), append(offset="x"),
        append(notify_flags=None), append(flags=None), append(flags="x"), append(original_recipient=None),
        append(extra="1"), about(FLUSH, sender=None), about(FLUSH, encoding=None), about(FLUSH, ret_flags=None),
        about(FLUSH, ret_flags="x"), about(FLUSH, queue_name=None), about(FLUSH, queue_name="nonsense"),
        about(FLUSH, queue_name="../x"), about(FLUSH, queue_id="../x"), about(FLUSH, sendopts=None),
        about(VERP, verp_delimiters=None), about(VERP, verp_delimiters="+"), about(VERP, verp_delimiters=""),
        about(VERP, verp_delimiters="abc"), about(ONE, recipient=None), about(ONE, queue_id="a/b"),
        raw("bounce", "nrequest=9 flags=0"), raw("bounce", "nrequest=-1 flags=0"), raw("bounce", "flags=0"),
        raw("bounce", "nrequest=x flags=0"), raw("bounce", "nrequest=0"), raw("bounce", "foo=bar"), raw("bounce", ""),
        raw("bounce", "nrequest=99999999999 flags=0"),
    ],
    "failure": [append(), append(recipient="b@refused.example", **_PLAIN), about(FLUSH)],
    "failure, once more": [append(), about(FLUSH), about(FLUSH)],
    "failure, headers": [append(), about(FLUSH, ret_flags="2", envelope_id="id+2B5")],
    "failure, whole": [append(), about(FLUSH, ret_flags="1", envelope_id="\u00e9")],
    "failure, both": [append(), about(FLUSH, ret_flags="3")],
    "failure, 8bit": [append(), about(FLUSH, encoding="8bit")],
    "failure, no encoding": [append(), about(FLUSH, encoding="")],
    "failure, odd encoding": [append(), about(FLUSH, encoding="odd")],
    "failure, SMTPUTF8": [append(recipient="\u00e9@x.test", reason="\u00e9"), about(FLUSH, sendopts="1")],
    "failure, SMTPUTF8 not asked for": [append(recipient="\u00e9@x.test", reason="\u00e9"), about(FLUSH)],
    "failure, all options": [append(), about(FLUSH, sendopts="255")],
    "failure, TLS demands": [
        request for options in (16, 32, 48, 64) for request in (append(), about(FLUSH, sendopts=str(options)))
    ],
    "failure, null sender": [append(), about(FLUSH, sender="")],
    "failure, double bounce": [append(), about(FLUSH, sender="double-bounce@mail.ours.example")],
    "failure, postmaster": [append(), about(FLUSH, sender="MAILER-DAEMON@mail.ours.example")],
    "failure, nobody wants it": [append(notify_flags="1"), append(notify_flags="10"), about(FLUSH)],
    "failure, one wants it": [append(notify_flags="1"), append(recipient="b@x.test", notify_flags="4"), about(FLUSH)],
    "failure, never but": [append(notify_flags="5"), about(FLUSH)],
    "failure, no message": [append(queue_id="ABCDEF"), about(FLUSH, queue_id="ABCDEF")],
    "failure, elsewhere": [append(), about(FLUSH, queue_name="deferred")],
    "failure, marks": [append(offset="300"), about(FLUSH, flags="2")],
    "failure, clean": [append(), about(FLUSH, flags="1")],
    "failure, odd texts": [
        append(status="", action="", reason="line\nbreak \u00e9 " + "long " * 60),
        append(recipient="", original_recipient="", status="2.0.0", action="delivered"),
        append(recipient='a "b@x', dsn_orig_rcpt="x-odd;a+20b", diag_type="x-unix", diag_text="\u00e9", mta_type="x"),
        about(FLUSH),
    ],
    "defer log": [append("defer", action="delayed", status="4.7.1"), about(FLUSH, "defer")],
    "warning": [append("defer", action="delayed", status="4.7.1"), about(WARN, "defer"), about(WARN, "defer")],
    "warning, of the bounce log": [append(), about(WARN)],
    "warning, null sender": [append("defer"), about(WARN, "defer", sender="")],
    "warning, double bounce": [append("defer"), about(WARN, "defer", sender="double-bounce@mail.ours.example")],
    "warning, not wanted": [append("defer", notify_flags="4"), about(WARN, "defer")],
    "warning, wanted": [append("defer", notify_flags="8"), append("defer", notify_flags="2"), about(WARN, "defer", ret_flags="1")],
    "warning, nothing known": [append("defer", status="", action=""), about(WARN, "defer")],
    "trace, nothing known": [append("trace", status="", action=""), about(TRACE, "trace", flags="512")],
    "success, nothing known": [append("trace", status="", action=""), about(TRACE, "trace")],
    "warning, no message": [append("defer", queue_id="ABCDEF"), about(WARN, "defer", queue_id="ABCDEF")],
    "verp": [append(), append(recipient="b@refused.example", notify_flags="4"), about(VERP, flags="2")],
    "verp, nobody wants it": [append(notify_flags="1"), about(VERP)],
    "verp, odd": [append(recipient="a b@x.test"), append(recipient="plain"), about(VERP, verp_delimiters="-+")],
    "verp, null sender": [append(), about(VERP, sender="")],
    "verp, double bounce": [append(), about(VERP, sender="double-bounce@mail.ours.example")],
    "one": [about(ONE)],
    "one, not wanted": [about(ONE, notify_flags="1")],
    "one, wanted": [about(ONE, notify_flags="4", ret_flags="2", envelope_id="x")],
    "one, null sender": [about(ONE, sender="")],
    "one, double bounce": [about(ONE, sender="double-bounce@mail.ours.example")],
    "one, no message": [about(ONE, queue_id="ABCDEF")],
    "one, with a log": [append(recipient="other@x.test"), about(ONE, flags="3", offset="300")],
    "trace": [append("trace", action="delivered", status="2.0.0"), about(TRACE, "trace")],
    "trace, wanted": [
        append("trace", action="relayed", status="2.0.0", notify_flags="2"),
        append("trace", recipient="b@x.test", notify_flags="4"),
        about(TRACE, "trace", ret_flags="1"),
    ],
    "trace, not wanted": [append("trace", notify_flags="4"), about(TRACE, "trace")],
    "trace, verify": [append("trace", action="deliverable", status="2.0.0"), about(TRACE, "trace", flags="512")],
    "trace, record": [append("trace", action="delivered", status="2.0.0"), about(TRACE, "trace", flags="1024")],
    "trace, all flags": [append("trace", notify_flags="1"), about(TRACE, "trace", flags="1792")],
    "trace, null sender": [append("trace"), about(TRACE, "trace", sender="")],
    "trace, double bounce": [append("trace"), about(TRACE, "trace", sender="double-bounce@mail.ours.example")],
    "trace, of the bounce log": [append(), about(TRACE)],
    "trace, no message": [append("trace", queue_id="ABCDEF"), about(TRACE, "trace", queue_id="ABCDEF", flags="512")],
}

NOTIFY = {
    "bounce_notice_recipient": "second@ours.example", "2bounce_notice_recipient": "second@ours.example",
    "delay_notice_recipient": "second@ours.example",
}  # fmt: skip
SERVICES: dict[str, str | None] = {"smtp": None, "relay": None, "lmtp": None, "tlsmgr": None, "verify": None, "scache": None}


def ask(mta: Instance, service: str, fields: Fields, queue_id: str) -> str:
    """Return the greeting and the reply to one request."""
    words = [word for name, value in fields.items() if value is not None for word in (name, value.replace(ID, queue_id))]
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(mta.queue_directory / "private" / service))
        client.sendall("".join(f"{word}\0" for word in [*words, ""]).encode())
        answer = b""
        try:
            while more := client.recv(4096):
                answer += more
        except ConnectionResetError:
            answer += b"<RESET>"
    return answer.decode().replace("\0", "|")


def logs(mta: Instance, queue_id: str) -> list[str]:
    """Return what the bounce, defer and trace logs have."""
    found = []
    for service in ("bounce", "defer", "trace"):
        for path in sorted(path for path in (mta.queue_directory / service).rglob("*") if path.is_file()):
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            found.append(f"{service} {path.name} {path.stat().st_mode:o}\n{text}".replace(queue_id, ID))
    return found


def in_order_of_making(mta: Instance) -> None:
    """Let the notices in each Maildir be compared in the order in which bounce(8) made them.

    Those of one request are delivered at the same time, by two processes, and either may be the first to arrive.
    """
    made = [match[1] for line in mta.log_lines() if (match := re.search(r" notification: (\w+)$", line))]
    for path in mta.mail_directory.glob("*/new/*"):
        queue_id = re.search(r"\n\tid (\w+); ", path.read_text("utf-8", "surrogateescape"))
        assert queue_id is not None
        os.utime(path, (made.index(queue_id[1]), made.index(queue_id[1])))


def run(mta: Instance, scenario: Sequence[Request]) -> None:
    """Ask one thing after the other about a message on hold."""
    queue_id = mta.send_message(["a@refused.example", "b@refused.example"], "Subject: held\nX-Y: z\n\nHello.\n", "user@ours.example")
    assert spool.find(mta.queue_directory, queue_id).parent.name == "hold"
    for service, fields in scenario:
        mta.transcript.append(ask(mta, service, fields, queue_id))
        mta.wait_until_only(queue_id)
        in_order_of_making(mta)
        mta.transcript += logs(mta, queue_id)
    mta.transcript += [f"{record.kind} {record.data!r}"[:40] for record in spool.records(mta.spool_file(queue_id)) if record.kind in "Rw"]


MAIN = {
    **NOTIFY, "recipient_delimiter": "+-", "relay_domains": "refused.example", "relay_recipient_maps": "",
    "smtpd_sender_restrictions": "check_sender_access inline:{user@ours.example=HOLD}",
}  # fmt: skip
CONFIGURATIONS = {
    "nobody else is told": {"notify_classes": ""},
    "postmaster is told": {"notify_classes": "bounce, 2bounce, delay", "requiretls_redact_dsn": "no"},
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(instance_pool: InstancePool, name: str, configuration: str) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Instance) -> None:
        run(mta, SCENARIOS[name])

    main = {**MAIN, **CONFIGURATIONS[configuration]}
    parity(case, main=main, master=SERVICES, replace={"bounce": "pyfix"}, logs="bounce", deliveries=True)


_WHOLE = "<a@refused.example>: no\nrecipient=a@refused.example\noffset=0\nstatus=5.7.1\naction=failed\nreason=no\n\n"
DAMAGED_LOGS = {
    "numbers that are none": _WHOLE.replace("offset=0", "offset=x") + _WHOLE.replace("5.7.1", "x.y"),
    "old lines only": "<a@refused.example>: no\n\n<b@refused.example>: nor that\n\n",
    "empty lines": "\n\n\n" + _WHOLE + "\n\n" + _WHOLE,
}


@pytest.mark.parametrize("name", DAMAGED_LOGS)
def test_damaged_logs(instance_pool: InstancePool, name: str) -> None:
    """What is left of a log after a crash, or was written by something else."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Instance) -> None:
        queue_id = mta.send_message(["a@refused.example"], "Subject: held\n\nHello.\n", "user@ours.example")
        for service, code in (("bounce", FLUSH), ("defer", WARN), ("trace", TRACE)):
            mta.transcript.append(ask(mta, *append(service), queue_id))
            (log,) = [path for path in (mta.queue_directory / service).rglob(queue_id) if path.is_file()]
            log.write_text(DAMAGED_LOGS[name])
            mta.transcript.append(ask(mta, *about(code, service), queue_id))
            mta.wait_until_only(queue_id)
            in_order_of_making(mta)
            mta.transcript += logs(mta, queue_id)

    main = {**MAIN, **CONFIGURATIONS["nobody else is told"]}
    parity(case, main=main, master=SERVICES, replace={"bounce": "pyfix"}, logs="bounce", deliveries=True)
