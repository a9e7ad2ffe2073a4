"""Sessions made from a seed, in packets that are cut anywhere: parameters of MAIL and RCPT in every malformed form, odd
commands, lists and limits at random.  Replies, log lines and what is queued are the reference's."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import CLOSED, Dialogue
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .clientlog import said_of_clients
from .conftest import LENIENT

pytestmark = [pytest.mark.reference, pytest.mark.root]

NOTIFY = [
    "NEVER", "SUCCESS", "FAILURE", "DELAY", "SUCCESS,FAILURE", "success,delay", "NEVER,SUCCESS", "", "X", ",", "SUCCESS,",
    ",DELAY", "SUCCESS,,DELAY", "SUCCESS;DELAY", "SUCCESS,SUCCESS", "NEVER,NEVER", "+4EEVER", '"NEVER"', "<NEVER>", "NEVER=1",
    "SUCCESS, FAILURE", "DELAY\tX", "FAILURE,never", "N\u00c9VER", "SUCCESS,FAILURE,DELAY,X",
]  # fmt: skip
ORCPT = [
    "rfc822;a@b", "RFC822;A@B", "rfc822;a+2Bb@c", "rfc822;a+2", "rfc822;a+", "rfc822;a+2b@c", "rfc822;a+00b", "rfc822;a+0Ab",
    "rfc822;a=b", "rfc822;", ";a@b", "rfc822", "", "a@b", "utf-8;\u00e9@x", "utf-8;a\\x{E9}@c", "utf-8;a\\x{e9}@c",
    "utf-8;a\\x{110000}", "utf-8;a\\x{zz}", "utf-8;a\\x{}", "utf-8;a\\x{D800}", "utf-8;a\\x{41}", "utf-8;a\\x{20AC}b+2Bc",
    "UTF-8;a\\x{1F600}", "utf-8;a+C3+A9", "utf-8;+FF@c", "rfc822;\u00e9", "x400;/C=x/", "rfc822;<a@b>", '"rfc822;a@b"',
    'rfc822;"a+20b"@c', "rfc822;" + "a" * 500, "rfc822;" + "+41" * 300, ";", "rfc822;a;b", "rfc 822;a", "r+66c822;a", "rfc822;+7F",
    "rfc822;a\x7fb", "rfc822;a\x01b", "utf-8;a\\b", "utf-8;\\x{e9", "rfc822;a+FFb", "rfc822;a+C3+A9b", "rfc822;+",
]  # fmt: skip
ENVID = [
    "x", "x+2By", "x+2", "+", "+00", "=", "", "\u00e9", "x" * 100, "x" * 101, "x" * 1000, "+20", "+41", "+4a", "x+7F", "x\x7f",
    "<x>", '"x"', "x=y", "x;y", "+41" * 100, "+0A", "+C3+A9", "++", "x+", "+4G", "a\\b", "(x)",
]  # fmt: skip
RET = ["FULL", "HDRS", "full", "hdrs", "", "X", "FULL,", "HDRS,FULL", "+46ULL", "FULL=1", "<FULL>"]
SIZE = [
    "0", "1", "100", "", "-1", "+1", "0x10", "1e3", "2500", "2999", "3000", "3001", "99999999", "9" * 30, "0" * 40 + "1", "1.0",
    "\uff11", "9223372036854775807", "9223372036854775808", "18446744073709551617", "1,", "<1>", "1=1",
]  # fmt: skip
BODY = ["7BIT", "8BITMIME", "8bitmime", "7bit", "", "X", "BINARYMIME", "8BITMIME=", "8BIT"]
AUTH = ["<>", "", "a@b", "a+3Db", "a+2", "+", "<a@b>", "a+00", "a=b", "\u00e9", "+3C+3E", "x" * 200]
BARE = [
    "SMTPUTF8", "smtputf8", "SMTPUTF8=", "SMTPUTF8=1", "XVERP", "XVERP=+=", "XVERP=", "XVERP=a", "XVERP=+-x", "REQUIRETLS",
    "REQUIRETLS=1", "FOO", "=", "=x", "NOTIFY", "ORCPT", "RET", "ENVID", "SIZE", "BODY", "AUTH", "HOLDFOR=1", "MT-PRIORITY=3",
    "BY=100;R", "<x>", '"x y"', "\u00e9", "\u00e9=1", "X" * 200, "(SIZE=1)", "\\SIZE=1",
]  # fmt: skip
PAIRS = {"NOTIFY": NOTIFY, "ORCPT": ORCPT, "ENVID": ENVID, "RET": RET, "SIZE": SIZE, "BODY": BODY, "AUTH": AUTH}
OF_MAIL = ("SIZE", "BODY", "RET", "ENVID", "AUTH")
OF_RCPT = ("NOTIFY", "ORCPT")

SENDERS = [
    "<a@x.test>", "<a@x.test>", "<>", "<\u00e9@x.test>", "<a@\u00e9.test>", "<a@ours.example>", " <a@x.test>", "<a@x.test",
    "a@x.test", "<\xff@x.test>", '<"a b"@x.test>', "<a+b=c@x.test>", "<" + "a" * 200 + "@x.test>", "<@x.test:a@y.test>", "<a@>",
]  # fmt: skip
RECIPIENTS = [
    "<user@ours.example>", "<user@ours.example>", "<second@ours.example>", "<mbox@ours.example>", "<user@ours.example>",
    "<nobody@ours.example>", "<x@relay.example>", "<x@elsewhere.example>", "<postmaster>", "<\u00e9@ours.example>", "<>",
    "<user@\u00e9.example>", "<\xff@ours.example>", " <user@ours.example>", '<"user"@ours.example>', "<user@ours.example", "<@>",
    "<root@mail.ours.example>", "<user+x@ours.example>", "<user@[127.0.0.1]>", "<x@y@ours.example>", "<x%elsewhere.example@ours.example>",
]  # fmt: skip
OTHERS = [
    "RSET", "NOOP", "VRFY user@ours.example", "VRFY", "VRFY <>", "VRFY <user@ours.example> SMTPUTF8", "VRFY \u00e9@x SMTPUTF8",
    "VRFY \u00e9@x", "VRFY a b", "VRFY user@ours.example FOO", "VRFY x@elsewhere.example", "VRFY nobody@ours.example", "VRFY @",
    "VRFY <@x:user@ours.example>", 'VRFY "user"@ours.example', "VRFY postmaster", "VRFY <user@ours.example", "VRFY ;", "vrfy root",
    "VRFY x SMTPUTF8=1", "VRFY  user@ours.example  ", "EXPN user", "EXPN", "HELP", "HELP MAIL", "help", "HELP \u00e9", "ETRN", "ETRN #x",
    "ETRN ours.example", "ETRN @ours.example", "ETRN relay.example x", "ETRN \u00e9", "ETRN [1.2.3.4]", "ETRN [x]", "ETRN a..b",
    "ETRN elsewhere.example", "ETRN ours.example.", "ETRN @", "ETRN #", "ETRN -x", "ETRN 1.2.3.4", "ETRN <ours.example>", "ETRN \\a",
    "RSET x", "NOOP x", "SEND FROM:<a@b>", "TURN", "XCLIENT", "XFORWARD", "XEXCH50 1 2", "MAIL FROM", "RCPT TO", "MAIL", "RCPT",
    "MAIL TO:<a@b>", "RCPT FROM:<a@b>", "MAIL FROM :<a@b>", "MAIL  FROM:<a@b>", "MAILFROM:<a@b>", "mail from:<a@x.test>", "\x00NOOP",
    "NOOP\x00", "NO\x01OP", "\xff\xfe", "STARTTLS", "STARTTLS x", "AUTH", "AUTH X", "AUTH PLAIN =", "DATA x", "BDAT", "BDAT x", "BDAT 1 x",
    "BDAT -1", "QUIT x", "RSET \x7f", "BDAT 1 LAST x", " NOOP", "\tNOOP", "NOOP\t", "NOOP\r", "Subject: x", "X:", "GET / HTTP/1.0",
    "POST / HTTP/1.0", "CONNECT x", "NOOP " + "x" * 3000, "MAIL FROM:<a@b>\tSIZE=1", '"NOOP"', "<NOOP>", "(NOOP)", "NOOP (x", "HELO", "EHLO",
]  # fmt: skip
GREETINGS = [
    "EHLO c.test", "HELO c.test", "EHLO [1.2.3.4]", "EHLO [IPv6:::1]", "EHLO \u00e9.test", "EHLO \xff", "HELO a b", "EHLO <c>",
    "EHLO -c", "EHLO c_d", "EHLO [x", "HELO 1.2.3.4", "EHLO c.", "EHLO (c)", "EHLO " + "x" * 300, "EHLO a\x01b", "ehlo C.TEST",
]  # fmt: skip
CLIENT_INFO = [
    *(f"XCLIENT {name}={value}" for name in ("NAME", "ADDR", "PORT", "HELO", "PROTO", "LOGIN", "DESTADDR", "DESTPORT", "REVERSE_NAME")
      for value in ("", "x", "1.2.3.4", "IPV6:::1", "ipv6:2001:db8::1", "25", "SMTP", "esmtp", "[UNAVAILABLE]", "[TEMPUNAVAIL]", "a+2Eb", "a+",
                    "+FF", "\u00e9", "a..b", "99999", "[unavailable]", "0", "x" * 300, "+00", "a=b")
      if (name, value) != ("LOGIN", "+00")),
    *(f"XFORWARD {name}={value}" for name in ("NAME", "ADDR", "PORT", "HELO", "PROTO", "IDENT", "SOURCE")
      for value in ("", "x", "1.2.3.4", "IPV6:::1", "25", "SMTP", "LOCAL", "remote", "[UNAVAILABLE]", "[TEMPUNAVAIL]", "a+2Eb", "+", "+FF",
                    "\u00e9", "a..b", "99999", "x" * 300, "+00", "a=b")),
    "XCLIENT NAME=a.b ADDR=1.2.3.4 PORT=5 HELO=h PROTO=ESMTP LOGIN=l", "XFORWARD NAME=a.b ADDR=1.2.3.4 PORT=5 HELO=h PROTO=ESMTP IDENT=i",
    "XCLIENT LOGIN=a+00", "XCLIENT NAME", "XCLIENT =x", "XCLIENT NAME=a FOO=b", "XFORWARD NAME", "XFORWARD =x", "XFORWARD NAME=a FOO=b", "xclient name=a.b",
    "XCLIENT NAME=a NAME=b.c", "XFORWARD IDENT=a IDENT=b",
]  # fmt: skip
CONTENTS = [
    b"Subject: x\r\n\r\nhi\r\n", b"", b"\r\n", b"..x\r\n.y\r\n", b"x" * 998 + b"\r\n", b"\xc3\xa9: x\r\n\r\n\xff\r\n", b"x" * 4100 + b"\r\n",
    b"a: b\r\n" * 3 + b"\r\nFrom x\r\n", b"a\nb\r\n", b"a\rb\r\n", b"\0\r\n", b"a: b\r\n c\r\n\r\n\r\n", b"From: x\r\n" * 2, b".x\r\n..\r\n...\r\n",
]  # fmt: skip


def _parameter(chance: random.Random, usual: tuple[str, ...]) -> str:
    kind = chance.random()
    if kind < 0.15:
        return chance.choice(BARE)
    name = chance.choice(usual) if kind < 0.93 else chance.choice(tuple(PAIRS))
    value = chance.choice(PAIRS[name])
    written = name if chance.random() < 0.8 else chance.choice((name.lower(), name.title(), name[:-1], name + " "))
    return f"{written}={value}"


def _parameters(chance: random.Random, usual: tuple[str, ...]) -> str:
    number = chance.choice((0, 0, 1, 1, 1, 2, 3))
    text = "".join(chance.choice((" ", " ", " ", " ", "  ", "\t", "")) + _parameter(chance, usual) for _ in range(number))
    return text + chance.choice(("", "", "", "", "", " ", "  ", "\t"))


def _line(chance: random.Random) -> bytes:
    kinds = (
        lambda: f"MAIL FROM:{chance.choice(SENDERS)}{_parameters(chance, OF_MAIL)}",
        lambda: "MAIL FROM:<a@x.test>",
        lambda: f"RCPT TO:{chance.choice(RECIPIENTS)}{_parameters(chance, OF_RCPT)}",
        lambda: "RCPT TO:<user@ours.example>",
        lambda: "RSET",
        lambda: chance.choice(OTHERS),
        lambda: chance.choice(GREETINGS),
        lambda: chance.choice(CLIENT_INFO),
    )
    text = chance.choices(kinds, (12, 6, 20, 6, 2, 6, 2, 3))[0]()
    # In U+00FF stands for a byte that is no UTF-8.
    data = text.encode().replace("\u00ff".encode(), b"\xff")
    return data + chance.choices((b"\r\n", b"\n", b"\r\r\n"), (60, 1, 1))[0]


def _chunk(chance: random.Random) -> bytes:
    content = chance.choice(CONTENTS)
    return b"BDAT %d%b\r\n%b" % (len(content), chance.choice((b"", b" LAST", b" last")), content)


def _group(chance: random.Random) -> list[bytes]:
    """Return requests that a client sends without waiting, each of which brings one reply; only the last may be DATA."""
    group = [_line(chance) for _ in range(chance.choice((1, 1, 2, 3, 5)))]
    end = chance.random()
    if end < 0.25:
        group.append(b"DATA\r\n")
    elif end < 0.4:
        group += [_chunk(chance) for _ in range(chance.randint(1, 2))]
    elif end < 0.42:
        group.append(b"QUIT\r\n")
    return group


def _cuts(chance: random.Random, length: int) -> list[int]:
    """Return where packets end; the last ends at *length*."""
    if length > 1 and chance.random() < 0.5:
        return [*sorted(chance.sample(range(1, length), min(length - 1, chance.randint(1, 3)))), length]
    return [length]


class _Player:
    """Says what it is given in packets, and never more before all is answered that the server can answer."""

    def __init__(self, client: Dialogue, said: list[str]) -> None:
        self.client = client
        self.said = said
        self.over = CLOSED in client.greeting
        said.append(client.greeting)

    def say(self, requests: list[bytes], chance: random.Random) -> None:
        ends = [sum(map(len, requests[: number + 1])) for number in range(len(requests))]
        data = b"".join(requests)
        self.said += [f"> {request[:120]!r}" for request in requests]
        begin = 0
        for cut in _cuts(chance, len(data)):
            if self.over:
                return
            with suppress(BrokenPipeError, ConnectionResetError):  # what the server said before it closed is there
                self.client.send(data[begin:cut])
            for end in ends:
                if begin < end <= cut and not self.over:
                    self.said.append(self.client.reply())
                    self.over = CLOSED in self.said[-1]
            begin = cut


def _dot_stuffed(content: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", content) + b".\r\n"


def play(mta: Any, chance: random.Random) -> None:
    with Dialogue(mta.host, mta.port, STRANGER) as client:
        player = _Player(client, mta.transcript)
        if chance.random() < 0.8:
            player.say([b"EHLO c.test\r\n"], chance)
        for _ in range(chance.randint(2, 7)):
            if player.over:
                break
            group = _group(chance)
            player.say(group, chance)
            if mta.transcript[-1].startswith("354"):
                player.say([_dot_stuffed(chance.choice(CONTENTS))], chance)


RESTRICTIONS = {
    "smtpd_client_restrictions": ["", "", "", "warn_if_reject reject", "check_client_access static:dunno"],
    "smtpd_helo_restrictions": ["", "reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname", "check_helo_access static:warn"],
    "smtpd_sender_restrictions": ["", "", "reject_non_fqdn_sender", "check_sender_access inline:{{x.test=prepend X: y}}", "reject_unlisted_sender"],
    "smtpd_recipient_restrictions": [
        "", "", "reject_non_fqdn_recipient", "check_recipient_access inline:{{ours.example=warn x},{user@=hold}}", "reject_unauth_pipelining",
        "check_recipient_access inline:{{mbox@ours.example=450 4.9.9 later},{second@ours.example=521 5.9.9 go}}",
    ],
    "smtpd_data_restrictions": ["check_client_access static:hold"] * 4 + ["check_client_access static:hold, reject_unauth_pipelining"],
    "smtpd_delay_reject": ["yes", "yes", "no"],
    "smtpd_discard_ehlo_keywords": ["", "", "", "dsn", "smtputf8", "size", "8bitmime", "chunking", "enhancedstatuscodes", "pipelining", "vrfy, etrn"],
    "smtpd_forbid_unauth_pipelining": ["yes", "no"],
    "smtpd_forbid_bare_newline": ["normalize", "reject", "note", "no", "yes"],
    "smtpd_forbid_bare_newline_exclusions": [""],
    "smtpd_forbid_bare_newline_reject_code": ["550", "521", "554"],
    "smtputf8_enable": ["yes", "yes", "yes", "no"],
    "strict_smtputf8": ["no", "no", "yes"],
    "strict_rfc821_envelopes": ["no", "no", "yes"],
    "smtpd_helo_required": ["no", "yes"],
    "disable_vrfy_command": ["no", "no", "yes"],
    "smtpd_reject_unlisted_sender": ["no", "yes"],
    "soft_bounce": ["no", "no", "yes"],
    "smtpd_hard_error_limit": ["1000", "1000", "5"],
    "smtpd_junk_command_limit": ["1000", "2"],
    "smtpd_recipient_limit": ["1000", "2"],
    "smtpd_recipient_overshoot_limit": ["1000", "1"],
    "smtpd_delay_open_until_valid_rcpt": ["yes", "no"],
    "message_size_limit": ["10240000", "3000"],
    "line_length_limit": ["2048", "512"],
    "smtpd_log_access_permit_actions": ["", "static:all", "inline:{check_client_access=x}"],
    "smtpd_client_port_logging": ["no", "yes"],
    "smtpd_hide_client_session": ["no", "yes"],
    "smtpd_history_flush_threshold": ["100", "1"],
    "smtpd_reject_footer": ["", "", "\\c for help, ${helo_name?see $helo_name}", "call $client_address\\nor $recipient"],
    "smtpd_command_filter": ["", "", "regexp:{{/^HELP (.*)/ NOOP $$1}}", "static:NOOP", "regexp:{{/^(RCPT .*) FOO/ $$1}}"],
    "smtpd_noop_commands": ["", "", "EXPN, HELP"],
    "smtpd_forbidden_commands": ["CONNECT, GET, POST regexp:{{/^[^A-Z]/ Bogus}}", "", "TURN"],
    "smtpd_authorized_verp_clients": ["127.0.0.1", ""],
    "enable_long_queue_ids": ["yes"],
    "resolve_null_domain": ["no", "yes"],
}  # fmt: skip


def configuration(chance: random.Random) -> dict[str, str]:
    """Return settings of which each has been drawn; every message that is accepted stays on hold."""
    drawn = {name: chance.choice(values) for name, values in RESTRICTIONS.items()}
    return LENIENT | {"virtual_mailbox_limit": "0", "mailbox_size_limit": "0"} | drawn




def compare(pool: InstancePool, seed: int, sessions: Iterable[int]) -> None:
    """Play sessions in a configuration; both by seed."""
    parity = Parity(pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> None:
        for number in sessions:
            mta.transcript.append(f"== {number}")
            mark = mta.log_mark()
            play(mta, random.Random(f"{seed} {number}"))
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            mta.transcript += said_of_clients(mta.log_lines(mark))

    parity(case, main=configuration(random.Random(f"packets {seed}")), replace={"smtpd": "pyfix"}, fresh=True, queue=True)


@pytest.mark.parametrize("seed", range(3))
def test_sessions(instance_pool: InstancePool, seed: int) -> None:
    requirements.need_reference("reference")
    compare(instance_pool, seed, range(40))
