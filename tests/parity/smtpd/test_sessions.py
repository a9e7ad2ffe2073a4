"""Whole sessions of commands in any order, good and bad, made from a seed: replies and log lines are the reference's."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import CLOSED, Dialogue, Line, Raw
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import LENIENT
from .test_addresses import PATHS

pytestmark = [pytest.mark.reference, pytest.mark.root]

_NAMES = ["c", "c.test", "[1.2.3.4]", "a b", "\u00e9", "x" * 300, "[IPv6:2001:db8::1]", "-x", "a_b", "(c)", "1.2.3.4", ""]
_RECIPIENTS = [
    "user@ours.example", "second@ours.example", "mbox@ours.example", "nobody@ours.example", "x@relay.example",
    "x@elsewhere.example", "postmaster", "root@mail.ours.example", "user+x@ours.example", "USER@OURS.example",
    '"user"@ours.example', "user@[127.0.0.1]", "\u00e9@ours.example", "user@\u00e9.example", "user%x@ours.example",
    "@relay.example:user@ours.example", "user@ours.example.", "double-bounce@mail.ours.example",
]  # fmt: skip
_SENDERS = ["a@x.test", "", "b@ours.example", "a@b..c", "\u00e9@x.test", "a@\u00e9.test", "root", "user@[1.2.3.4]", "<x>", "a b@c"]
_OF_MAIL = [
    "", "", "", "", " SIZE=100", " SIZE=99999999", " BODY=8BITMIME", " BODY=7BIT", " BODY=X", " RET=FULL", " ENVID=x+2By",
    " SMTPUTF8", " AUTH=<>", " XVERP", " REQUIRETLS", " FOO=1", " SIZE=100 BODY=8BITMIME RET=HDRS ENVID=q SMTPUTF8",
]  # fmt: skip
_OF_RCPT = ["", "", "", "", " NOTIFY=NEVER", " NOTIFY=SUCCESS,FAILURE", " ORCPT=rfc822;a@b", " ORCPT=x", " FOO", " NOTIFY=X"]
_CONTENTS = [
    b"Subject: x\r\n\r\nhi\r\n.\r\n", b".\r\n", b"\r\n.\r\n", b"..x\r\n.y\r\n.\r\n", b"x" * 1000 + b"\r\n.\r\n",
    b"\xc3\xa9: x\r\n\r\n\xff\r\n.\r\n", b"x" * 5000 + b"\r\n.\r\n", b"a\nb\n.\nc\r\n.\r\n",
    b"Received: x\r\n" * 60 + b"\r\n.\r\n", b"a: b\r\n" * 3 + b"\r\nFrom x\r\n.\r\n",
]  # fmt: skip
_CLIENT_INFO = [
    "XCLIENT NAME=a.b", "XCLIENT ADDR=1.2.3.4", "XCLIENT ADDR=IPV6:::1", "XCLIENT NAME=[UNAVAILABLE] ADDR=10.0.0.1",
    "XCLIENT HELO=x PROTO=SMTP", "XCLIENT PROTO=ESMTP", "XCLIENT LOGIN=joe", "XCLIENT PORT=7", "XCLIENT NAME=", "XCLIENT FOO=1",
    "XCLIENT DESTADDR=1.1.1.1 DESTPORT=25", "XCLIENT NAME=[TEMPUNAVAIL]", "XFORWARD NAME=a.b", "XFORWARD ADDR=1.2.3.4",
    "XFORWARD PROTO=ESMTP HELO=x", "XFORWARD SOURCE=LOCAL", "XFORWARD IDENT=x PORT=9", "XFORWARD FOO=1",
]  # fmt: skip
_ODD = [
    "STARTTLS", "AUTH", "AUTH PLAIN AAA", "FOO", "FOO \u00e9", "foo: bar", "  ", "\t", "", "DATA x", "BDAT", "BDAT x",
    "BDAT 5 6 7", "MAIL", "RCPT", "MAIL FROM", "RCPT TO", "MAIL FROM: <a@b> ", "RCPT TO: <user@ours.example>", "QUIT",
]  # fmt: skip
_IN_GROUPS = [
    "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>", "RCPT TO:<nobody@ours.example>", "RSET", "NOOP", "EHLO c",
]  # fmt: skip


def _chunk(chance: random.Random) -> bytes:
    size = chance.choice((0, 1, 5, 50, 300))
    content = bytes(chance.choice(b"ab\r\n.\n ") for _ in range(size))
    return f"BDAT {size}{chance.choice(('', ' LAST', ' last', ' LAST', ' X'))}\r\n".encode() + content


def _command(chance: random.Random) -> Line:
    kinds = (
        lambda: chance.choice(("EHLO ", "HELO ", "ehlo ")) + chance.choice(_NAMES),
        lambda: f"MAIL FROM:<{chance.choice(_SENDERS)}>{chance.choice(_OF_MAIL)}",
        lambda: f"MAIL FROM:{chance.choice(PATHS)}{chance.choice(_OF_MAIL)}",
        lambda: f"RCPT TO:<{chance.choice(_RECIPIENTS)}>{chance.choice(_OF_RCPT)}",
        lambda: f"RCPT TO:{chance.choice(PATHS)}",
        lambda: "RCPT TO:<user@ours.example>",
        lambda: "DATA",
        lambda: _chunk(chance),
        lambda: chance.choice(("RSET", "RSET x", "NOOP", "NOOP x", "NOOP \u00e9", "HELP", "QUIT x")),
        lambda: chance.choice(("VRFY ", "EXPN ", "VRFY <")) + chance.choice(_RECIPIENTS),
        lambda: "ETRN " + chance.choice(("ours.example", "x", "@y.example", "#q", "[1.2.3.4]", "")),
        lambda: chance.choice(_CLIENT_INFO),
        lambda: chance.choice(_ODD),
        lambda: _group(chance.choices(_IN_GROUPS, k=chance.randint(2, 4))),
    )
    weights = (16, 18, 2, 20, 2, 3, 12, 6, 4, 3, 2, 5, 4, 3)
    made: Line = chance.choices(kinds, weights)[0]()
    return made


def _group(lines: list[str]) -> Raw:
    return Raw("".join(f"{line}\r\n" for line in lines).encode(), len(lines))


def _session(chance: random.Random) -> list[Line]:
    begin: list[Line] = ["EHLO c.test"] if chance.random() < 0.7 else []
    return [*begin, *(_command(chance) for _ in range(chance.randint(3, 18)))]


def _play(mta: Any, lines: list[Line], chance: random.Random) -> None:
    with Dialogue(mta.host, mta.port, STRANGER) as client:
        said = mta.transcript
        said.append(client.greeting)
        for line in lines:
            said += [f"> {str(line)[:80]}", *client.say(line)]
            if said[-1].startswith("354"):
                content = chance.choice(_CONTENTS)
                said += [f"> {content[:30]!r}", *client.say(content)]
            if CLOSED in said[-1]:
                break


CONFIGURATIONS = {
    "lenient": LENIENT,
    "strict": {
        **LENIENT, "smtpd_helo_required": "yes", "strict_rfc821_envelopes": "yes", "smtpd_delay_reject": "no",
        "smtpd_helo_restrictions": "reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
        "smtpd_sender_restrictions": "reject_non_fqdn_sender", "strict_smtputf8": "yes",
        "smtpd_forbid_unauth_pipelining": "no", "message_size_limit": "3000",
    },
    "few errors": {
        "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "6", "smtpd_junk_command_limit": "3",
        "smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_authorized_xforward_hosts": "127.0.0.1",
        "smtpd_recipient_limit": "3", "smtpd_recipient_overshoot_limit": "1",
    },
    "ASCII": {
        **LENIENT, "smtputf8_enable": "no", "smtpd_discard_ehlo_keywords": "dsn", "smtpd_forbid_bare_newline": "note",
        "smtpd_forbid_bare_newline_exclusions": "", "disable_vrfy_command": "yes",
    },
    "early": {
        **LENIENT, "smtpd_delay_open_until_valid_rcpt": "no", "smtpd_reject_unlisted_sender": "yes",
        "smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_exclusions": "", "soft_bounce": "yes",
    },
}  # fmt: skip

MORE = {"strict": (279,), "ASCII": (398,)}
"""Further seeds, which once found something."""


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_sessions(instance_pool: InstancePool, name: str) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> None:
        for number in (*range(60), *MORE.get(name, ())):
            chance = random.Random(f"{name} {number}")
            mta.transcript.append(f"== {number}")
            mark = mta.log_mark()
            _play(mta, _session(chance), chance)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            mta.transcript += [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]

    parity(case, main=CONFIGURATIONS[name], replace={"smtpd": "pyfix"}, fresh=True)
