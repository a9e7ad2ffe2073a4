"""bounce(8) asked over its sockets: replies, the logs that it keeps and removes, its log lines and notices.

Source: bounce(8); the reference's replies.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from pwd import getpwnam

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
    "one, odd addresses": [
        about(ONE, dsn_orig_rcpt="", recipient=recipient, original_recipient=original)
        for recipient, original in (("a@x", "a@x"), ("a@x", "A@x"), ("", ""), ("", "b@x"), ("a@x", "<>"), ("a b@x", '"a b"@x'))
    ],
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


@pytest.mark.parametrize("classes", ["bounce", "2bounce", "delay", "resource, software"])
def test_classes_of_notices(instance_pool: InstancePool, classes: str) -> None:
    """postconf(5) notify_classes: which copies for postmaster belong to which."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))
    names = [name for name in SCENARIOS if "null sender" in name or "double bounce" in name]

    def case(mta: Instance) -> None:
        run(mta, [request for name in [*names, "failure", "warning", "trace"] for request in SCENARIOS[name]])

    main = {**MAIN, "notify_classes": classes}
    parity(case, main=main, master=SERVICES, replace={"bounce": "pyfix"}, logs="bounce", deliveries=True)


_WHOLE = "<a@refused.example>: no\nrecipient=a@refused.example\noffset=0\nstatus=5.7.1\naction=failed\nreason=no\n\n"
_SECOND = "\n" + _WHOLE + "\n" + _WHOLE.replace("a@", "b@")


def _with(*lines: str, instead_of: str = "offset=0") -> str:
    """Return an entry for each of *lines*, which stands in it instead of another."""
    return "\n".join(_WHOLE.replace(instead_of, line) for line in lines)


DAMAGED_LOGS = {
    "numbers that are none": _with(
        "offset=12x", "offset=-12", "offset=x", "notify_flags=-1", "notify_flags=4294967299", "notify_flags= 8",
        "notify_flags=1x", "notify_flags=3", "notify_flags=16", "notify_flags=99999999999999999999999", "notify_flags=+1",
        "status=x.y",
    ),
    "old lines only": "<a@refused.example>: no\n\n<b@refused.example>: nor that\n\n",
    "odd old lines": "<a@x.test: no\n<>: null\n\n<b@x.test>:no\n\n<c@x.test>: \n\n a<d@x.test>: x\n\n<e@x.test>:  one>: two  \n\n"
    "<f@x.test> (expanded from <g>): h\n\n",
    "empty lines": "\n\n\n" + _WHOLE + "\n\n" + _WHOLE,
    "nothing": "",
    "empty lines only": "\n\n",
    "no last empty line": _WHOLE[:-1],
    "a second one without its last empty line": _SECOND[:-1],
    "cut in a value": _SECOND[:-60],
    "cut in a name": _SECOND[: _SECOND.rindex("status=") + 3],
    "cut in the first line": "\n" + _WHOLE + "\n<b@ref",
    "no name": _with("=5.7.1", " status=5.7.1", "_x=1", "\u00e9=1", "\u00e9" * 40),
    "no value": _with("status", "status: 5", "sta tus=5", "recipient=", "recipient=\noriginal_recipient=", "reason=", "diag_type=\ndiag_text=x"),
    "unknown names": _with("foo=bar", "STATUS=5.1.1", "9=1"),
    "no recipient": _WHOLE.partition("offset=0\n")[2] + "\noriginal_recipient=x@y\n\nfoo=bar\n\n",
    "twice the same": _with("status=5.1.1\nrecipient=c@x.test"),
    "blanks": _with("status = 5.1.1  ", "   ", "dsn_orig_rcpt  =  rfc822;x@y"),
    "other ends of lines": _WHOLE.replace("\n", "\r\n"),
    "bytes": _with("reason=n\udcff\udcfe\x01", "reason=n\0z", "rea\0son=x", "\0reason=x", "st\udcff\x01s=5", "reason=\u00e9"),
    "odd addresses": _with(
        'recipient="a b"@x.test', 'recipient="a@b"@x.test', "recipient=a b@x.test", "recipient=<q@x.test>", "recipient=<>",
        "recipient=plain", "original_recipient=A@refused.example", "original_recipient=<>",
    ),
    "odd statuses": _with("status=2.0.0", "status=9.9.9", "status=5.7", "status=5.7.1 text", "action=odd", instead_of="status=5.7.1"),
    "a long line": _with("reason=" + "y" * 100_000),
}  # fmt: skip


def _told_of(log: str, requests: Sequence[tuple[str, Fields]], configuration: str, instance_pool: InstancePool) -> None:
    """Compare what both make of *log* when they are asked for notices about it."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Instance) -> None:
        queue_id = mta.send_message(["a@refused.example"], "Subject: held\n\nHello.\n", "user@ours.example")
        for service, request in requests:
            mta.transcript.append(ask(mta, *append(service), queue_id))
            (path,) = [path for path in (mta.queue_directory / service).rglob(queue_id) if path.is_file()]
            path.write_bytes(log.encode("utf-8", "surrogateescape"))
            mta.transcript.append(ask(mta, service, request, queue_id))
            mta.wait_until_only(queue_id)
            in_order_of_making(mta)
            mta.transcript += logs(mta, queue_id)
            path.unlink(missing_ok=True)

    main = {**MAIN, **CONFIGURATIONS[configuration]}
    parity(case, main=main, master=SERVICES, replace={"bounce": "pyfix"}, logs="bounce", deliveries=True)


@pytest.mark.parametrize("name", DAMAGED_LOGS)
def test_damaged_logs(instance_pool: InstancePool, name: str) -> None:
    """What is left of a log after a crash, or was written by something else."""
    requests = [about(FLUSH), about(WARN, "defer"), about(TRACE, "trace"), about(VERP)]
    _told_of(DAMAGED_LOGS[name], requests, "nobody else is told", instance_pool)


@pytest.mark.parametrize("name", ["nothing", "no recipient", "other ends of lines", "a second one without its last empty line"])
def test_damaged_logs_for_postmaster(instance_pool: InstancePool, name: str) -> None:
    """The same with copies, null senders, and recipients that are marked done."""
    requests = [
        about(FLUSH), about(FLUSH, flags="2"), about(FLUSH, sender=""), about(WARN, "defer"), about(WARN, "defer", sender=""),
        about(TRACE, "trace", sender=""), about(VERP, flags="2"), about(TRACE, "trace", flags="512"),
    ]  # fmt: skip
    _told_of(DAMAGED_LOGS[name], requests, "postmaster is told", instance_pool)


def _listed(mta: Instance, queue_id: str) -> str:
    listing = mta.run("postqueue", "-j").stdout.decode("utf-8", "surrogateescape").replace(queue_id, ID)
    return re.sub(r'("arrival_time": )\d+', r"\1", listing)


def _closed(path: Path) -> None:
    path.touch(0o000)


def _read_only(path: Path) -> None:
    path.write_text(_WHOLE)
    path.chmod(0o400)
    os.chown(path, getpwnam("postfix").pw_uid, -1)


def _link(path: Path) -> None:
    (path.parent / "target").write_text(_WHOLE)
    os.chown(path.parent / "target", getpwnam("postfix").pw_uid, -1)
    path.symlink_to("target")


ODD_FILES: dict[str, Callable[[Path], None]] = {
    "that may not be opened": _closed,
    "that may only be read": _read_only,
    "that is a link": _link,
    "that is a link to nothing": lambda path: path.symlink_to("nowhere"),
    "that is a link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_log(instance_pool: InstancePool, name: str) -> None:
    """A log that can't be opened: the reference's process ends then, and master says so; ours answers its other clients.

    showq(8) lists such a message without reasons.
    """
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Instance) -> None:
        queue_id = mta.send_message(["a@refused.example"], "Subject: held\n\nHello.\n", "user@ours.example")
        path = mta.queue_directory / "bounce" / queue_id
        for request in (append(), about(FLUSH), about(VERP), about(ONE)):
            ODD_FILES[name](path)
            mark = mta.log_mark()
            mta.transcript.append(ask(mta, *request, queue_id))
            mta.wait_until_only(queue_id)
            mta.transcript.append(_listed(mta, queue_id))
            if any("throttling" in line for line in mta.log_lines(mark)):
                time.sleep(1.2)  # service_throttle_time
            mta.transcript += ["there"] * os.path.lexists(path)
            path.unlink(missing_ok=True)
            (path.parent / "target").unlink(missing_ok=True)
            in_order_of_making(mta)

    main = {**MAIN, **CONFIGURATIONS["nobody else is told"], "service_throttle_time": "1s"}
    replace = {"bounce": "pyfix", "showq": "pyfix"}
    parity(case, main=main, master=SERVICES, replace=replace, logs="bounce", deliveries=True)


@pytest.mark.parametrize("name", ["no value", "odd addresses", "bytes", "a second one without its last empty line"])
def test_damaged_logs_in_the_listing(instance_pool: InstancePool, name: str) -> None:
    """showq(8) reads the logs by the same rules, and warns of the same lines."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Instance) -> None:
        queue_id = mta.send_message(["a@refused.example"], "Subject: held\n\nHello.\n", "user@ours.example")
        for service in ("defer", "bounce"):
            mta.transcript.append(ask(mta, *append(service), queue_id))
            (path,) = [path for path in (mta.queue_directory / service).rglob(queue_id) if path.is_file()]
            path.write_bytes(DAMAGED_LOGS[name].encode("utf-8", "surrogateescape"))
        mta.transcript.append(_listed(mta, queue_id))

    main = {**MAIN, **CONFIGURATIONS["nobody else is told"]}
    parity(case, main=main, master=SERVICES, replace={"showq": "pyfix"}, logs="showq")
