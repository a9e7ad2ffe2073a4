"""Every command, in and out of order."""

from __future__ import annotations

import pytest

from tests.kit.smtp import Raw

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

EVERYWHERE = [
    "NOOP", "NOOP a b", "noop", "HELP", "HELP x", "VRFY", "VRFY root", "VRFY user@ours.example",
    "VRFY nobody@ours.example", "VRFY a@elsewhere.example", "VRFY <user@ours.example>", "VRFY a b",
    "VRFY user@ours.example SMTPUTF8", "VRFY \u00e9 SMTPUTF8", 'VRFY "', "VRFY <>", "VRFY a@", "EXPN x", "ETRN",
    "ETRN a b", "ETRN #x", "ETRN @ours.example", "ETRN ours.example", "ETRN foo.example", "ETRN [1.2.3.4]", "ETRN -x",
    "ETRN a..b", "ETRN \u00e9", "ETRN @", "FOO", "", "   ", "\t", "RSET", "RSET x", "DATA", "DATA x",
]  # fmt: skip


def test_before_any_greeting(same_dialogue: Compare) -> None:
    same_dialogue(*EVERYWHERE, "QUIT", main=LENIENT)


def test_greetings(same_dialogue: Compare) -> None:
    words = ["", " ", " a b", " a", ' "x y"', " <x>", " [1.2.3.4]", " \u00e9", " a\\b", ' "', " <", " a\x01b"]
    lines = [f"{verb}{word}" for word in words for verb in ("HELO", "EHLO")]
    same_dialogue(*lines, "MAIL FROM:<a@x>", "EHLO z", "RCPT TO:<user@ours.example>", "QUIT", main=LENIENT)


def test_names_in_refusals(same_dialogue: Compare) -> None:
    names = [
        "a:b", "from:b:c", "a b:c d", '"a b', "<a b", "a\\ b", "<a<b>c>", "(a b)", 'a"b c', "  a   b  ", "a\x0bb", "a\x01b",
    ]  # fmt: skip
    main = LENIENT | {"smtpd_delay_reject": "no", "smtpd_helo_restrictions": "reject"}
    same_dialogue(*[f"HELO {name}" for name in names], main=main)


def test_order_of_a_transaction(same_dialogue: Compare) -> None:
    same_dialogue(
        "RCPT TO:<user@ours.example>", "DATA", "MAIL", "MAIL FROM", "MAIL FROM :<a@x>", "MAIL FROM<a@x>",
        "MAIL TO:<a@x>", "MAIL\tFROM:\t<a@x>\tBODY=7BIT", "MAIL FROM:<b@x>", "DATA", "DATA x", "RCPT", "RCPT TO:",
        "RCPT FROM:<a@x>", "RCPT TO:<>", 'RCPT TO:""', "RCPT TO:(a)", "RCPT TO:<user@ours.example>",
        "RCPT TO:<nobody@ours.example>", "RCPT TO:<a@elsewhere.example>", "VRFY second@ours.example", "ETRN ours.example",
        "DATA x", "EHLO client.test", "DATA", "QUIT", main=LENIENT,
    )  # fmt: skip


def test_a_message(same_dialogue: Compare) -> None:
    same_dialogue(
        "EHLO client.test", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>", "DATA",
        b"Subject: hi\r\n\r\nbody\r\n.\r\n", "DATA", "RCPT TO:<user@ours.example>", "MAIL FROM:<>",
        "RCPT TO:<user@ours.example>", "DATA", b".\r\n", "QUIT",
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["Subject: hi", "Foo:bar", "GET / HTTP/1.0", "post x", "connect x", "#x", "1x", "x-y: z", "foo:", ":x", "a:b: c",
     "<x:>", '"NOOP"', "x\u00e9: z", "x y: z", "ab :c", "MAILFROM:<a@x>", "."],
)  # fmt: skip
def test_what_is_no_command(same_dialogue: Compare, line: str) -> None:
    same_dialogue(line, "NOOP")


def test_odd_bytes(same_dialogue: Compare) -> None:
    lines = [
        b"NOOP\n", b"NOOP\r\r\n", b"NO\x00OP\r\n", b"NOOP \x00x\r\n", b"NOOP \xff\r\n", b"\xff\r\n", b"FO\xc3\xa9\r\n",
        b"NOOP " + b"x" * 3000 + b"\r\n", b"NOOP " + b"x" * 2043 + b"\r\n", b"FOO\x01\x1b\r\n", b" NOOP\r\n", b"\tNOOP\r\n",
    ]  # fmt: skip
    same_dialogue(*lines, "QUIT", main=LENIENT | {"smtpd_forbidden_commands": ""})


def test_what_is_off(same_dialogue: Compare) -> None:
    lines = ["STARTTLS", "STARTTLS x", "AUTH", "AUTH PLAIN", "AUTH PLAIN x", "BURL", "XCLIENT NAME=a", "XFORWARD NAME=a"]
    main = {"smtpd_hard_error_limit": "100", "smtpd_error_sleep_time": "0", "disable_vrfy_command": "yes"}
    same_dialogue("EHLO x", *lines, "VRFY x", "MAIL FROM:<a@b> XVERP", main=main)


def test_helo_required(same_dialogue: Compare) -> None:
    lines = ["MAIL FROM:<a@b>", "VRFY x", "ETRN ours.example", "NOOP", "RSET", "EHLO x", "MAIL FROM:<a@b>"]
    same_dialogue(*lines, main=LENIENT | {"smtpd_helo_required": "yes"})


@pytest.mark.parametrize("keywords", ["dsn, pipelining", "chunking, size, vrfy, etrn, silent-discard", "SMTPUTF8 8bitmime"])
def test_hidden_keywords(same_dialogue: Compare, keywords: str) -> None:
    lines = ["MAIL FROM:<a@b> RET=FULL", "MAIL FROM:<a@b> SIZE=1", "RCPT TO:<user@ours.example> NOTIFY=NEVER"]
    main = LENIENT | {"smtpd_discard_ehlo_keywords": keywords}
    same_dialogue("EHLO x", *lines, Raw(b"RSET\r\nRSET\r\n", 2), main=main)


def test_noop_commands_and_junk(same_dialogue: Compare) -> None:
    main = {
        "smtpd_junk_command_limit": "1", "smtpd_hard_error_limit": "3", "smtpd_error_sleep_time": "0",
        "smtpd_noop_commands": "zork", "smtpd_authorized_xforward_hosts": "127.0.0.1",
    }  # fmt: skip
    for line in ("NOOP", "HELP", "HELO x", "EHLO x", "VRFY x", "RSET", "XFORWARD NAME=a", "zork", "FOO", "HELO"):
        same_dialogue(*[line] * 8, main=main)


def test_footer(same_dialogue: Compare) -> None:
    lines = ["EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<user@ours.example>", "FOO", "HELO", "ETRN"]
    for footer in (r"\c. Contact us\nline2 ${client_address} ${server_name}", r"one\ntwo $recipient $sender $helo_name"):
        same_dialogue(*lines, main={"smtpd_reject_footer": footer, "smtpd_sender_restrictions": "reject"})
