"""Filters behind the queue that hand mail back: over SMTP to another smtpd, and by a command and sendmail(1).

Which work is done before the filter and which behind it, receive_override_options tells; log lines, what the filter hears
by XFORWARD, and delivered messages are those of the reference.
Source: FILTER_README; postconf(5) content_filter, default_filter_nexthop, receive_override_options; XFORWARD_README.
"""

from __future__ import annotations

import re
import shutil
import socket
import stat
from collections.abc import Iterator

import pytest

from pyfix.formats.netstring import encode
from tests.kit import processes
from tests.kit.instance import Instance
from tests.kit.milter import CONTINUE, Script, ScriptedMilter, add_header
from tests.kit.parity import Parity
from tests.kit.ports import ReservedPort
from tests.kit.reinjector import Reinjector, reinjector

pytestmark = [pytest.mark.reference, pytest.mark.root]

_OVERRIDES = ("", "no_address_mappings", "no_header_body_checks", "no_unknown_recipient_checks", "no_milters")
_ALL = "no_unknown_recipient_checks,no_header_body_checks,no_milters,no_address_mappings"
_MAIN = {
    "virtual_alias_maps": "inline:{list@ours.example=user@ours.example}",
    "recipient_canonical_maps": "inline:{canon@ours.example=second@ours.example}",
    "always_bcc": "mbox@ours.example",
    "header_checks": "regexp:{{/^Subject: (.*)/ PREPEND X-Checked: $1}}",
    "notify_classes": "",
}  # fmt: skip
_INNER = (
    "127.0.0.5:{port} inet n - n - - smtpd -o content_filter= -o smtpd_relay_restrictions= -o mynetworks=127.0.0.0/8 "
    "-o smtpd_recipient_restrictions=permit_mynetworks,reject -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o syslog_name=postfix/again"
)
_SCAN = (
    "scan unix - - n - 10 smtp -o smtp_send_xforward_command=yes -o disable_mime_output_conversion=yes "
    "-o syslog_name=postfix/scan"
)
_ENVELOPE = ["EHLO client.example", "MAIL FROM:<sender@ours.example>"]
_MAILBOXES: dict[str, str | bytes] = {
    "mailboxes": "user@ours.example user/\nsecond@ours.example second/\nmbox@ours.example bcc/\nsender@ours.example sender/\n"
}
"""Notices have a mailbox of their own, as they come in no fixed order among other mail."""
_MESSAGE = b"Subject: x\r\nFrom: canon@ours.example\r\n\r\nhello\r\n..dot\r\n.\r\n"
_LOGS = ("smtpd", "smtp", "cleanup", "pipe", "pickup", "bounce", "qmqpd")


@pytest.fixture(scope="module")
def scanner() -> Iterator[Reinjector]:
    with reinjector() as found:
        yield found


def _master(outer: str = "", inner: str = "", **more: str) -> dict[str, str | None]:
    """Return the services, with options for the first smtpd and for the one behind the filter."""
    return {
        "127.0.0.1:{port}": f"127.0.0.1:{{port}} inet n - n - - smtpd {outer}",
        "127.0.0.5:{port}": f"{_INNER} {inner}",
        "scan": _SCAN,
        **more,
    }


def _to(scanner: Reinjector) -> str:
    return f"scan:[127.0.0.1]:{scanner.port}"


def _override(options: str) -> str:
    return f"-o receive_override_options={options}" if options else ""


def _sends(mta: Instance, scanner: Reinjector, *recipients: str, refusals: dict[bytes, bytes] | None = None) -> str:
    """Send a message, wait for what becomes of it, and return what the filter heard."""
    scanner.target = ("127.0.0.5", mta.port)
    scanner.refusals = refusals or {}
    scanner.heard.clear()
    mta.dialogue(*_ENVELOPE, *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA", _MESSAGE, "QUIT")
    mta.wait_until_empty()
    return "\n".join(scanner.heard)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [("", ""), *((option, "") for option in _OVERRIDES[1:]), *(("", option) for option in _OVERRIDES[1:]),
     ("no_address_mappings", "no_unknown_recipient_checks,no_header_body_checks,no_milters"), (_ALL, _ALL)],
)  # fmt: skip
def test_what_is_done_where(parity: Parity, scanner: Reinjector, outer: str, inner: str) -> None:
    """Each option of receive_override_options, before the filter and behind it."""

    def case(mta: Instance) -> str:
        with ScriptedMilter() as milter:
            milter.script = Script({"eom": [add_header("X-Milter", "yes"), CONTINUE]})
            mta.write_main(smtpd_milters=milter.endpoint)
            mta.reload()
            return _sends(mta, scanner, "list@ours.example", "canon@ours.example", "nosuch@ours.example")

    master = _master(f"-o content_filter={_to(scanner)} {_override(outer)}", _override(inner))
    seen = parity(case, main=_MAIN, master=master, files=_MAILBOXES, logs=_LOGS, deliveries=True)
    assert "XFORWARD" in str(seen.result)


_FILTERS = {
    "nexthop": ({}, "scan:[127.0.0.1]:{filter}"),
    "default nexthop": ({"default_filter_nexthop": "[127.0.0.1]:{filter}"}, "scan:"),
    "default nexthop, no colon": ({"default_filter_nexthop": "[127.0.0.1]:{filter}"}, "scan"),
    "recipient's domain": ({"default_filter_nexthop": "", "transport_maps": ""}, "error:5.7.0 no nexthop"),
    "none": ({}, ""),
    "a transport that is not there": ({"transport_retry_time": "1s"}, "nosuch:x"),
}


@pytest.mark.parametrize("name", _FILTERS)
@pytest.mark.parametrize("place", ["content_filter", "access", "header_checks"])
def test_where_the_filter_is_named(parity: Parity, scanner: Reinjector, name: str, place: str) -> None:
    """content_filter, FILTER of an access table and FILTER of header_checks; the next hop and its default."""
    settings, transport = _FILTERS[name]
    main = {key: value.format(filter=scanner.port) for key, value in settings.items()}
    transport = transport.format(filter=scanner.port)
    match place:
        case "content_filter":
            main["content_filter"] = transport
        case "access":
            main["smtpd_recipient_restrictions"] = f"check_recipient_access inline:{{{{user@ours.example=FILTER {transport}}}}}"
        case _:
            main["header_checks"] = f"regexp:{{{{/^Subject: x/ FILTER {transport}}}}}"
    inner = "-o receive_override_options=no_header_body_checks"

    def case(mta: Instance) -> str:
        scanner.target = ("127.0.0.5", mta.port)
        scanner.refusals = {}
        scanner.heard.clear()
        mta.dialogue(*_ENVELOPE, "RCPT TO:<user@ours.example>", "RCPT TO:<second@ours.example>", "DATA", _MESSAGE, "QUIT")
        if name == "a transport that is not there":
            mta.wait_for_log("status=deferred", count=2)
            mta.settle()
            mta.forget()
            return ""
        mta.wait_until_empty()
        return "\n".join(scanner.heard)

    seen = parity(case, main={"notify_classes": ""} | main, master=_master(inner=inner), files=_MAILBOXES, logs=_LOGS, deliveries=True)
    # Without a colon it is a transport in content_filter, and nothing in the argument of FILTER.
    filtered = name in ("nexthop", "default nexthop") or (name == "default nexthop, no colon" and place == "content_filter")
    assert ("XFORWARD" in str(seen.result)) == filtered


@pytest.mark.parametrize("command", [b"EHLO", b"XFORWARD", b"MAIL", b"RCPT", b"DATA"])
@pytest.mark.parametrize("reply", [b"451 4.7.1 later\r\n", b"550 5.7.1 virus\r\n", b"421 4.3.2 gone\r\n"])
def test_a_filter_that_refuses(parity: Parity, scanner: Reinjector, command: bytes, reply: bytes) -> None:
    """What is refused behind the queue is deferred or returned to its sender; the notice is not filtered."""

    def case(mta: Instance) -> str:
        scanner.target = ("127.0.0.5", mta.port)
        scanner.refusals = {command: reply, b"HELO": reply}
        scanner.heard.clear()
        mta.dialogue(*_ENVELOPE, "RCPT TO:<user@ours.example>", "DATA", _MESSAGE, "QUIT")
        mta.wait_for_log("status=(deferred|bounced|sent)")
        assert processes.wait_until(lambda: not mta.queue().keys() & {"incoming", "active"}, 15.0)
        mta.settle()
        return "\n".join(scanner.heard)

    master = _master(f"-o content_filter={_to(scanner)}")
    parity(case, main={"notify_classes": ""}, master=master, files=_MAILBOXES, logs=("smtp", "bounce"), deliveries=True)


def test_a_filter_that_is_down(parity: Parity) -> None:
    """The mail waits, and nothing goes around the filter."""
    closed = ReservedPort()

    def case(mta: Instance) -> None:
        mta.dialogue(*_ENVELOPE, "RCPT TO:<user@ours.example>", "DATA", _MESSAGE, "QUIT")
        mta.wait_for_log("status=deferred")
        mta.settle()

    main = {"notify_classes": "", "content_filter": f"scan:[127.0.0.1]:{closed.number}"}
    seen = parity(case, main=main, master=_master(), logs=("smtp", "smtpd"), deliveries=True)
    closed.release()
    assert not seen.delivered


_SCRIPT = """\
#!/bin/sh
# A simple filter, as FILTER_README has it: it hands the message on with a header of its own.
sendmail=$(sed -n 's/^command_directory = //p' {dir}/etc/main.cf)/sendmail
[ -x "$sendmail" ] || sendmail=$(sed -n 's/^sendmail_path = //p' {dir}/etc/main.cf)
{ echo 'X-Filtered: by a command'; cat; } >"{dir}/localmail/in.$$" || exit 75
grep -q EICAR "{dir}/localmail/in.$$" && { rm -f "{dir}/localmail/in.$$"; echo 'Message content rejected'; exit 69; }
MAIL_CONFIG={dir}/dropping "$sendmail" -G -i "$@" <"{dir}/localmail/in.$$"
status=$?
rm -f "{dir}/localmail/in.$$"
exit $status
"""
_SIMPLE = "simple unix - n n - 10 pipe flags=Rq user=nobody null_sender= argv={dir}/etc/filter -f ${sender} -- ${recipient}"


def _let_everybody_drop(mta: Instance) -> None:
    """Open maildrop to all, with a postdrop that is not set-gid: one that is reads only the machine's main.cf."""
    (mta.queue_directory / "maildrop").chmod(0o1777)
    (mta.queue_directory / "public").chmod(0o755)
    folder = mta.directory / "dropping"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    program = mta.command_directory / "postdrop"
    if program.stat().st_mode & stat.S_ISGID:
        shutil.copyfile(program, folder / "postdrop")
        (folder / "postdrop").chmod(0o755)
    elif not (folder / "postdrop").exists():
        (folder / "postdrop").symlink_to(program)
    text = (mta.config_directory / "main.cf").read_text()
    (folder / "main.cf").write_text(re.sub(r"(?m)^command_directory = .*", f"command_directory = {folder}", text))


@pytest.mark.parametrize("pickup", ["", *(f"-o receive_override_options={option}" for option in _OVERRIDES[1:]), "-o content_filter="])
@pytest.mark.parametrize("content", ["clean", "EICAR"])
def test_a_command_and_sendmail(parity: Parity, pickup: str, content: str) -> None:
    """The simple filter: pipe(8), then sendmail -G -i, whose mail pickup(8) takes and does not filter again."""
    master = {
        "127.0.0.1:{port}": "127.0.0.1:{port} inet n - n - - smtpd -o content_filter=simple:dummy",
        "simple": _SIMPLE,
        "pickup": f"pickup unix n - n 60 1 pickup {pickup}",
    }

    def case(mta: Instance) -> None:
        _let_everybody_drop(mta)
        text = b"Subject: x\r\n\r\n%s\r\n..dot\r\n.\r\n" % content.encode()
        recipients = ("list@ours.example", "canon@ours.example")
        mta.dialogue(*_ENVELOPE, *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA", text, "QUIT")
        assert not mta.wait_for_log(r"simple, .*status=(?:sent|bounced|(deferred.*))")[1]
        mta.wait_until_empty()

    seen = parity(case, main=_MAIN, master=master, files=_MAILBOXES | {"filter": _SCRIPT}, logs=_LOGS, deliveries=True)
    text = "\n".join(line for lines in seen.delivered.values() for line in lines)
    assert ("X-Filtered: by a command" in text) == (content == "clean"), text


@pytest.mark.parametrize("options", ["", *_OVERRIDES[1:], _ALL])
def test_qmqpd(parity: Parity, scanner: Reinjector, options: str) -> None:
    """qmqpd(8) has both parameters, too."""
    packet = encode(b"".join(map(encode, (b"Subject: x\n\nhello\n", b"user@ours.example", b"list@ours.example", b"canon@ours.example"))))
    more = {"127.0.0.6:{port}": f"127.0.0.6:{{port}} inet n - n - - qmqpd -o content_filter={_to(scanner)} {_override(options)}"}

    def case(mta: Instance) -> str:
        scanner.target = ("127.0.0.5", mta.port)
        scanner.refusals = {}
        scanner.heard.clear()
        with socket.create_connection(("127.0.0.6", mta.port), 20) as connection:
            connection.sendall(packet)
            mta.transcript.append(connection.makefile("rb").readline(1000).decode())
        mta.wait_until_empty()
        return "\n".join(scanner.heard)

    master = _master(inner="-o receive_override_options=no_header_body_checks", **more)
    seen = parity(case, main=_MAIN | {"qmqpd_authorized_clients": "127.0.0.0/8"}, master=master, files=_MAILBOXES, logs=_LOGS, deliveries=True)
    assert "XFORWARD" in str(seen.result)
