"""Message content: pipelining, DATA and BDAT, sizes, bare newlines, and the records that cleanup(8) gets."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.instance import Instance
from tests.kit.smtp import Line, Raw

from .conftest import LENIENT, Compare
from .recording import Recorder

pytestmark = [pytest.mark.reference, pytest.mark.root]

BEGIN: list[Line] = ["EHLO c", "MAIL FROM:<a@x>", "RCPT TO:<user@ours.example>"]
PIPELINED = [
    "NOOP", "HELP", "RSET", "VRFY x", "ETRN ours.example", "HELO x", "EHLO x", "STARTTLS", "AUTH x", "XFORWARD NAME=a",
    "XCLIENT NAME=a", "MAIL FROM:<a@b>", "DATA", "FOO", "QUIT", "BDAT 0",
]  # fmt: skip


@pytest.mark.parametrize("forbidden", ["yes", "no"])
@pytest.mark.parametrize("greeting", ["EHLO c", "HELO c"])
def test_commands_sent_too_early(same_dialogue: Compare, greeting: str, forbidden: str) -> None:
    for command in PIPELINED:
        lines = [greeting, Raw(f"{command}\r\nNOOP\r\nRSET\r\n".encode(), 3)]
        same_dialogue(*lines, main=LENIENT | {"smtpd_forbid_unauth_pipelining": forbidden})


def test_a_whole_transaction_in_groups(same_dialogue: Compare) -> None:
    same_dialogue(
        "EHLO c",
        Raw(b"MAIL FROM:<a@b>\r\nRCPT TO:<user@ours.example>\r\nDATA\r\n", 3),
        Raw(b"x\r\n.\r\nRSET\r\nQUIT\r\n", 3),
    )


def test_chunks(same_dialogue: Compare) -> None:
    big = b"BDAT 1200\r\n" + b"x" * 1200
    dialogues: list[list[Line]] = [
        [*BEGIN, big, "NOOP", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", "DATA", "BDAT 0 LAST", "BDAT 0 LAST", "RSET"],
        [*BEGIN, big, "RSET", "MAIL FROM:<a@b>"],
        [*BEGIN, b"BDAT 3\r\nabc", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", "DATA", "VRFY x", "EHLO x"],
        [*BEGIN, b"BDAT 1200 LAST\r\n" + b"x" * 1200, "MAIL FROM:<a@b>"],
        [*BEGIN, b"BDAT 500\r\n" + b"x\n" * 250, b"BDAT 600 LAST\r\n" + b"x" * 600, "NOOP"],
        ["EHLO c", "MAIL FROM:<a@b>", "RCPT TO:<a@b>", b"BDAT 3\r\nabc", b"BDAT 3 LAST\r\nabc"],
        ["EHLO c", b"BDAT 3\r\nabc", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", b"BDAT 3 LAST\r\nabc"],
        ["EHLO c", "BDAT"], ["EHLO c", "BDAT 1 2"], ["EHLO c", "BDAT -1"], ["EHLO c", "BDAT 1 LAST x"],
        ["EHLO c", b"BDAT 1 last\r\nx"], ["EHLO c", "BDAT 99999999999999999999"],
    ]  # fmt: skip
    for lines in dialogues:
        same_dialogue(*lines, main=LENIENT | {"message_size_limit": "1000"})


def test_sizes(same_dialogue: Compare) -> None:
    begin = ["MAIL FROM:<a@x>", "RCPT TO:<user@ours.example>", "DATA"]
    lines: list[Line] = ["EHLO c"]
    for content in (b"x" * 800 + b"\r\n" + b"y" * 300, b"x" * 990, b"x" * 998, b"x" * 999, b"x" * 3000):
        lines += [*begin, content + b"\r\n.\r\n"]
    same_dialogue(*lines, "MAIL FROM:<a@x> SIZE=1001", "MAIL FROM:<a@x>", main=LENIENT | {"message_size_limit": "1000"})


def test_recipient_limit(same_dialogue: Compare) -> None:
    main = {
        "smtpd_recipient_limit": "2", "smtpd_recipient_overshoot_limit": "2", "smtpd_hard_error_limit": "3",
        "smtpd_error_sleep_time": "0",
    }  # fmt: skip
    same_dialogue("EHLO c", "MAIL FROM:<a@b>", *["RCPT TO:<user@ours.example>"] * 9, main=main)


def test_rates(same_dialogue: Compare) -> None:
    main = {"smtpd_client_message_rate_limit": "2", "smtpd_client_recipient_rate_limit": "3"}
    same_dialogue(
        *BEGIN, "RSET", *BEGIN[1:], BEGIN[2], BEGIN[2], "RSET", "MAIL FROM:<a@b>", "QUIT", main=main, fresh=True
    )


@pytest.mark.parametrize(
    "lines",
    [[Raw(b"", 1)], ["EHLO c", Raw(b"MAIL", 1)], [*BEGIN, "DATA", Raw(b"abc\r\nx", 1)]],
    ids=["greeting", "command", "content"],
)
def test_timeouts(same_dialogue: Compare, lines: list[Line]) -> None:
    same_dialogue(*lines, main={"smtpd_timeout": "1"})


# -- what cleanup gets --------------------------------------------------------------------------------------------------

PIECES = [
    b"\r\n", b"\n", b".", b"..", b"\r", b"x", b"abc", b"\r\n.", b"\n.", b"\r\n..", b"x" * 700, b"From a", b" ", b"x" * 2040,
    b"\r\r\n", b"\x00",
]  # fmt: skip


def contents() -> list[bytes]:
    """Content without an end in it, of all that is unusual, and the lengths at which lines are cut."""
    chosen = random.Random(5)
    found = [b"x" * length for length in (2046, 2047, 2048, 2049, 4095, 4096, 4097)]
    found += [b"x" * 2048 + b".", b"a\0b\rc\x80", b"From a\r\nFrom b", b">From a\r\nb", b" a\r\nb", b"\ta", b"from a"]
    for _ in range(20):
        content = b"".join(chosen.choices(PIECES, k=chosen.randint(1, 30)))
        found.append(re.sub(rb"(?:(?<=\n)|\A)\.\r*\n", b"", re.sub(rb"\n\.\r*(?=\n)", b"\n", content)))
    return found


def dialogues() -> list[list[Line]]:
    chosen = random.Random(6)
    all_contents = contents()
    found: list[list[Line]] = [[*BEGIN, "DATA", content + b"\r\nz\r\n.\r\n", "QUIT"] for content in all_contents]
    for content in all_contents[::2]:
        cut = chosen.randint(1, len(content) - 1) if len(content) > 1 else 1
        first, rest = content[:cut], content[cut:]
        chunks = [b"BDAT %d\r\n" % len(first) + first, b"BDAT %d LAST\r\n" % len(rest) + rest]
        found.append([*BEGIN, *chunks, "QUIT"])
    return found


ENVELOPES: list[list[Line]] = [
    ["HELO c.test", *BEGIN[1:], "DATA", b"a: b\r\n\r\n..body\r\ny\r\n.\r\n", "QUIT"],
    ["MAIL FROM:<>", BEGIN[2], "RCPT TO:<mbox@ours.example>", "DATA", b".\r\n", "QUIT"],
    ["EHLO [1.2.3.4]", 'MAIL FROM:<"a b"@x> BODY=8BITMIME RET=FULL ENVID=a+2Bb SIZE=100 SMTPUTF8',
     "RCPT TO:<user@ours.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c",
     'RCPT TO:<"us er"@relay.example> ORCPT=utf-8;a\\x{e9}b@c', "RCPT TO:<\u00e9@relay.example> NOTIFY=NEVER", "DATA",
     b"\r\nbody\r\n.\r\n", "QUIT"],
    ["EHLO c", "MAIL FROM:<a@x>", 'RCPT TO:<"us er"@relay.example>', "DATA", b".\r\n", "QUIT"],
    ["EHLO c", "MAIL FROM:<a@x> BODY=7BIT XVERP=+= AUTH=foo+3Dbar", BEGIN[2], "DATA", b".\r\n", "MAIL FROM:<a@x> XVERP",
     BEGIN[2], "DATA", b".\r\n", "QUIT"],
    ["EHLO c.test", "XCLIENT NAME=foo.example ADDR=192.0.2.2 PROTO=ESMTP HELO=h\x01(x REVERSE_NAME=r.example PORT=77 "
     "LOGIN=joe DESTADDR=192.0.2.9 DESTPORT=26", *BEGIN[1:], "DATA", b".\r\n", "QUIT"],
    *[["EHLO c", f"XFORWARD {words}", *BEGIN[1:], "DATA", b".\r\n", *BEGIN[1:], "DATA", b".\r\n", "QUIT"]
      for words in ("NAME=a", "ADDR=1.2.3.4", "NAME=a ADDR=1.2.3.4", "PORT=9", "HELO=h", "IDENT=i", "PROTO=p",
                    "SOURCE=REMOTE", "NAME=[UNAVAILABLE] ADDR=1.2.3.4 PORT=3", "IDENT=[UNAVAILABLE]",
                    "NAME=orig.test ADDR=192.0.2.9 PORT=1234 PROTO=ESMTP HELO=orig IDENT=ABC SOURCE=LOCAL")],
    *[["EHLO c", f"MAIL FROM:<{action}@x>", BEGIN[2], "DATA", b".\r\n", "QUIT"]
      for action in ("hold", "filter", "redirect", "bcc", "discard", "prepend", "all")],
]  # fmt: skip

TABLE = (
    "inline:{hold@x=HOLD, {filter@x=FILTER smtp:[127.0.0.1]:9}, {redirect@x=REDIRECT r@s}, {bcc@x=BCC r@s}, "
    "discard@x=DISCARD, {prepend@x=PREPEND X-Foo: bar}, all@x=HOLD}"
)
MORE = "inline:{{all@x=FILTER smtp:[127.0.0.1]:9}, {bcc@x=BCC r2@s}, {prepend@x=PREPEND X-Bar: two}}"
STILL_MORE = "inline:{{all@x=REDIRECT r@s}}, check_sender_access inline:{{all@x=BCC q@s}}"
ORDERING = LENIENT | {
    "smtpd_sender_restrictions": f"check_sender_access {TABLE}, check_sender_access {MORE}, check_sender_access {STILL_MORE}",
}

_UNSTEADY = re.compile(rb"(?<=port=)\d+|(?<=:)\d{4,5}\b|\d\d:\d\d:\d\d|^\d{10} \d+$")


@pytest.fixture
def same_records(new_instance: Callable[..., Instance]) -> Callable[..., None]:
    """Say the same to both; the records that each smtpd sends must be the same."""

    def observe(found: list[list[Line]], main: dict[str, str], replace: dict[str, str] | None) -> list[Any]:
        mta = new_instance("reference", main=main, master={"cleanup": None}, replace=replace)
        mta.start()
        seen: list[Any] = []
        with Recorder(mta.queue_directory / "public/cleanup") as recorder:
            for lines in found:
                replies = mta.dialogue(*lines)
                messages = [
                    [(kind, _UNSTEADY.sub(b"<N>", data)) for kind, data in records] for records in recorder.messages()
                ]
                seen.append(([str(line)[:60] for line in lines], replies, messages))
        return seen

    def compare(found: list[list[Line]], main: dict[str, str]) -> None:
        theirs = observe(found, main, None)
        ours = observe(found, main, {"smtpd": "pyfix"})
        for (lines, their_replies, their_messages), (_, our_replies, our_messages) in zip(theirs, ours, strict=True):
            assert our_replies == their_replies, lines
            assert len(our_messages) == len(their_messages), lines
            for their_records, our_records in zip(their_messages, our_messages, strict=True):
                wrong = [(our, their) for our, their in zip(our_records, their_records, strict=False) if our != their]
                assert not wrong, (lines, wrong[:3])
                assert len(our_records) == len(their_records), lines

    return compare


@pytest.mark.parametrize("mode", ["normalize", "no", "note"])
def test_content_records(same_records: Callable[..., None], mode: str) -> None:
    main = LENIENT | {
        "smtpd_forbid_bare_newline": mode, "smtpd_forbid_bare_newline_exclusions": "", "smtpd_forbidden_commands": "",
    }  # fmt: skip
    same_records(dialogues(), main)


def test_long_lines_in_chunks(same_records: Callable[..., None]) -> None:
    """A line as long as line_length_limit, or nearly, that a chunk ends in."""
    found: list[list[Line]] = []
    for length in (2046, 2047, 2048, 2049, 4094, 4095, 4096):
        for end in (b"\r\n", b"\n", b"\r\nx", b""):
            content = b"x" * length + end
            for cut in sorted({length, length + 1, 2047, 2048, 2049} & set(range(1, len(content)))):
                chunks = [content[:cut], content[cut:]]
                found.append([
                    *BEGIN, b"BDAT %d\r\n%b" % (cut, chunks[0]), b"BDAT %d LAST\r\n%b" % (len(chunks[1]), chunks[1]), "QUIT",
                ])  # fmt: skip
    same_records(
        found, LENIENT | {"smtpd_forbid_bare_newline": "normalize", "smtpd_forbid_bare_newline_exclusions": ""}
    )


def test_envelope_records(same_records: Callable[..., None]) -> None:
    same_records(ENVELOPES, ORDERING)


def test_hidden_client(same_records: Callable[..., None]) -> None:
    same_records(ENVELOPES[:2], LENIENT | {"smtpd_hide_client_session": "yes"})


def test_rejected_bare_newlines(same_dialogue: Compare) -> None:
    main = LENIENT | {
        "smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_exclusions": "",
        "smtpd_forbidden_commands": "",
    }  # fmt: skip
    for lines in dialogues():
        same_dialogue(*lines, main=main)
    same_dialogue("EHLO c", b"NOOP\n", "NOOP", main=main)


def test_checks_of_the_content_refuse(parity_of_smtpd: Compare) -> None:
    """What cleanup(8) says of a message: with and without text, of header and body, with codes, for now and for good."""
    reasons = [
        "REJECT",
        "REJECT no",
        "REJECT 5.6.1 x y",
        "REJECT 4.2.1 z",
        "REJECT 2.1.1 z",
        "REJECT 5.7",
        "554 foo",
        "550 5.6.2 bar",
        "REJECT 550 5.6.2 baz",
        "REJECT 550 x",
    ]
    table = "".join(f"/^(Subject: h|b){number}$/ {reason}\n" for number, reason in enumerate(reasons))

    def case(mta: Instance) -> None:
        for number in range(len(reasons)):
            for content in (b"Subject: h%d\r\n\r\nhi\r\n.\r\n" % number, b"Subject: x\r\n\r\nb%d\r\n.\r\n" % number):
                mta.dialogue(*BEGIN, "DATA", content, "QUIT")
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
        mta.settle()
        told = sum("from=<double-bounce@" in line for line in mta.log_lines())
        mta.transcript.append(f"notices: {told}")
        mta.dialogue(*BEGIN, b"BDAT 15 LAST\r\nSubject: h1\r\n\r\n", "QUIT")
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")

    main = LENIENT | {
        "notify_classes": "policy",
        "header_checks": "regexp:{dir}/etc/checks",
        "body_checks": "regexp:{dir}/etc/checks",
    }
    parity_of_smtpd(case, main=main, files={"checks": table})
