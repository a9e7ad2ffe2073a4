"""smtpd_proxy_filter: what a filter before the queue hears, and what the client hears of it.

Source: SMTPD_PROXY_README; postconf(5) smtpd_proxy_filter and its neighbours; dialogues and log lines of the reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.kit import processes, requirements
from tests.kit.instance import Instance
from tests.kit.milter import (
    ACCEPT,
    CONTINUE,
    DISCARD,
    REJECT,
    TEMPFAIL,
    Answer,
    Script,
    ScriptedMilter,
    add_header,
    quarantine,
    reply,
)
from tests.kit.parity import InstancePool, Observation, Parity
from tests.kit.smtp import Line
from tests.kit.smtpfilter import HANG_UP, SILENCE, SmtpFilter
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

_MESSAGE = b"Subject: x\r\n\r\nhello\r\n..dot\r\n...\r\n.\r\n"
_RECIPIENTS = ["RCPT TO:<user@ours.example> NOTIFY=NEVER", "RCPT TO:<nosuch@ours.example>", "RCPT TO:<second@ours.example>"]
_ENVELOPE: list[Line] = ["EHLO client.example", "MAIL FROM:<a@client.example> SIZE=100 BODY=8BITMIME", *_RECIPIENTS]
_WHOLE: list[Line] = [*_ENVELOPE, "DATA", _MESSAGE, "QUIT"]
_TRIED: list[Line] = [*_ENVELOPE, "DATA", "QUIT"]


@pytest.fixture(scope="module")
def filter_() -> Iterator[SmtpFilter]:
    with SmtpFilter() as found:
        yield found


def _compare(
    pool: InstancePool, filter_: SmtpFilter, *dialogues: list[Line], replies: dict[str, bytes] | None = None, **main: str
) -> Observation:
    requirements.need_reference("reference")
    parity = Parity(pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Instance) -> str:
        filter_.forget()
        filter_.replies = replies or {}
        for count, lines in enumerate(dialogues, 1):
            mta.dialogue(*lines)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=count)
            assert processes.wait_until(filter_.idle, 20.0)
        return re.sub(r"PORT=\d+", "PORT=<PORT>", "\n".join(filter_.heard))

    settings = {
        "smtpd_proxy_filter": f"127.0.0.1:{filter_.port}", "smtpd_proxy_timeout": "2s", "notify_classes": "",
        "smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_authorized_xforward_hosts": "127.0.0.1",
    }  # fmt: skip
    return parity(case, main=settings | main, replace={"smtpd": "pyfix"}, logs="smtpd")


@pytest.mark.parametrize("options", ["", "speed_adjust"])
@pytest.mark.parametrize(
    "lines",
    [
        _WHOLE,
        ["HELO client.example", "MAIL FROM:<>", "RCPT TO:<user@ours.example>", "DATA", _MESSAGE, "QUIT"],
        [*_ENVELOPE, "DATA", _MESSAGE, "mail from: <b@client.example>", "rcpt to:<user@ours.example>", "DATA", b".\r\n", "QUIT"],
        [*_ENVELOPE, "RSET", "QUIT"],
        ["EHLO client.example", "MAIL FROM:<a@client.example>", "DATA", "QUIT"],
        ["EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", b"BDAT 7 LAST\r\nx: y\r\n\n", "QUIT"],
        ["XCLIENT NAME=there.example ADDR=192.0.2.7 LOGIN=me", "EHLO client.example", *_WHOLE[1:]],
        ["EHLO client.example", "XFORWARD NAME=there.example ADDR=192.0.2.7 IDENT=ABC PROTO=SMTP", *_WHOLE[1:]],
    ],
    ids=["whole", "helo", "two", "rset", "nobody", "bdat", "xclient", "xforward"],
)  # fmt: skip
def test_dialogues(instance_pool: InstancePool, filter_: SmtpFilter, lines: list[Line], options: str) -> None:
    """XFORWARD, the client's own MAIL and RCPT, our Received:, and the filter's verdict."""
    _compare(instance_pool, filter_, lines, smtpd_proxy_options=options)


@pytest.mark.parametrize("options", ["", "speed_adjust"])
@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("greeting", b"554 go away\r\n"), ("EHLO", b"500 what\r\n"), ("EHLO", b"250 plain\r\n"), ("XFORWARD", b"550 no\r\n"),
        ("MAIL", b"550 5.1.0 no such sender\r\n"), ("RCPT", b"450 4.1.0 later\r\n"), ("DATA", b"451 4.1.0 no data\r\n"),
        (".", b"550 5.7.1 spam\r\n"), (".", b"550-5.7.1 spam\r\n550 5.7.1 more\r\n"), (".", b"xyz\r\n"), (".", HANG_UP), (".", SILENCE),
        ("EHLO", HANG_UP), ("RCPT", HANG_UP), ("MAIL", SILENCE),
    ],
)  # fmt: skip
def test_refusals(instance_pool: InstancePool, filter_: SmtpFilter, command: str, reply: bytes, options: str) -> None:
    """A filter that refuses, hangs up, or says nothing."""
    takes_content = command == "." or options or reply == b"250 plain\r\n"
    lines = _WHOLE if takes_content else _TRIED
    # Not PORT, which is another one each time.
    offers = b"250-filter\r\n250 XFORWARD NAME ADDR HELO PROTO\r\n"
    _compare(instance_pool, filter_, lines, replies={"EHLO": offers, command: reply}, smtpd_proxy_options=options)


@pytest.mark.parametrize("options", ["", "speed_adjust"])
def test_nobody_there(instance_pool: InstancePool, filter_: SmtpFilter, options: str) -> None:
    """A filter that is down."""
    lines = _WHOLE if options else _TRIED
    _compare(instance_pool, filter_, lines, smtpd_proxy_filter="127.0.0.1:9", smtpd_proxy_options=options)


@pytest.mark.parametrize("options", ["", "speed_adjust"])
def test_a_large_message(instance_pool: InstancePool, filter_: SmtpFilter, options: str) -> None:
    """Blocks of the content are put together without a seam; long lines stay whole."""
    content = b"Subject: x\r\n\r\n" + b"".join(b"..%d%s\r\n" % (number, b"x" * (number % 3000)) for number in range(800))
    lines: list[Line] = [*_ENVELOPE, "DATA", content + b".\r\n", "QUIT"]
    _compare(instance_pool, filter_, lines, smtpd_proxy_options=options)


def test_ehlo_name(instance_pool: InstancePool, filter_: SmtpFilter) -> None:
    """postconf(5) smtpd_proxy_ehlo"""
    _compare(instance_pool, filter_, _WHOLE, smtpd_proxy_ehlo="other.example")


ACTIONS = (
    "HOLD to look at", "FILTER smtp:[127.0.0.1]:9", "DISCARD quietly", "REDIRECT other@ours.example", "BCC copy@ours.example", "PREPEND X-Policy: y",
    "WARN look", "INFO look", "REJECT no", "DEFER_IF_PERMIT later", "OK",
)  # fmt: skip


@pytest.mark.parametrize("options", ["", "speed_adjust"])
@pytest.mark.parametrize("stage", ["recipient", "data", "end_of_data"])
def test_actions(instance_pool: InstancePool, filter_: SmtpFilter, stage: str, options: str) -> None:
    """Access actions, those that need a queue file, too, which is not here but behind the filter."""
    table = ", ".join(f"{{a{number}@client.example={action}}}" for number, action in enumerate(ACTIONS))
    dialogues: list[list[Line]] = []
    for number, action in enumerate(ACTIONS):
        no_data = stage != "end_of_data" and action.startswith(("REJECT", "DEFER"))
        content: list[Line] = [] if no_data else [_MESSAGE]
        envelope = ["EHLO client.example", f"MAIL FROM:<a{number}@client.example>", "RCPT TO:<user@ours.example>"]
        dialogues.append([*envelope, "DATA", *content, "RSET", "ETRN relay.example", "QUIT"])
    main = {f"smtpd_{stage}_restrictions": f"check_sender_access inline:{{{table}}}", "smtpd_error_sleep_time": "0"}
    etrn = {"smtpd_etrn_restrictions": "check_client_access static:{HOLD it}"}
    _compare(instance_pool, filter_, *dialogues, replies=None, smtpd_proxy_options=options, **main, **etrn)


MILTERS: dict[str, dict[str, list[Answer]]] = {
    "goes on": {},
    "changes": {"eom": [add_header("X-Milter", "yes"), CONTINUE]},
    "quarantines": {"eom": [quarantine("look"), CONTINUE]},
    "refuses the client": {"connect": [REJECT]}, "refuses helo": {"helo": [TEMPFAIL]}, "refuses the sender": {"mail": [reply("550 5.7.1 not him")]},
    "refuses the recipient": {"rcpt": [REJECT]}, "refuses DATA": {"data": [reply("451 4.7.1 later")]}, "refuses a header": {"header": [REJECT]},
    "refuses the body": {"body": [TEMPFAIL]}, "refuses in the end": {"eom": [reply("554 5.7.1 no")]}, "discards a sender": {"mail": [DISCARD]},
    "discards a recipient": {"rcpt": [DISCARD]}, "discards in the end": {"eom": [DISCARD]}, "accepts the client": {"connect": [ACCEPT]}, "accepts a sender": {"mail": [ACCEPT]},
}  # fmt: skip


@pytest.mark.parametrize("options", ["", "speed_adjust"])
def test_milters(instance_pool: InstancePool, filter_: SmtpFilter, options: str) -> None:
    """Milters of the session in front of a filter, which they have no content of."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))
    with ScriptedMilter() as milter:

        def case(mta: Instance) -> None:
            for count, (name, answers) in enumerate(MILTERS.items(), 1):
                filter_.forget()
                milter.script = Script(answers)
                milter.forget()
                mta.transcript.append(f"== {name}")
                envelope = ("EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>")
                said = mta.dialogue(*envelope)
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=2 * count - 1)
                refused = any(reply[0] not in "23" for reply in said) or "refuses DATA" in name
                mta.dialogue(*envelope, "DATA", *([] if refused else [_MESSAGE]), "QUIT")
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=2 * count)
                assert processes.wait_until(filter_.idle, 20.0)
                heard = re.sub(r"PORT=\d+|\d\d:\d\d:\d\d", "<N>", "\n".join(filter_.heard))
                mta.transcript += [*heard.splitlines(), *milter.events()]

        main = {
            "smtpd_proxy_filter": f"127.0.0.1:{filter_.port}", "smtpd_proxy_timeout": "5s", "notify_classes": "", "smtpd_proxy_options": options,
            "smtpd_milters": milter.endpoint, "milter_default_action": "tempfail", "milter_connect_macros": "j", "smtpd_error_sleep_time": "0",
        }  # fmt: skip
        parity(case, main=main, replace={"smtpd": "pyfix"}, logs="smtpd")
