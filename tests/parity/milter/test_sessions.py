"""What milters hear of whole sessions: several messages, RSET, new greetings, chunks, other clients, macros.

Source: MILTER_README; postconf(5) milter_*_macros, smtpd_milter_maps.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import STRANGER, TRUSTED
from tests.kit.milter import CONTINUE, REJECT, Script, ScriptedMilter, add_header, quarantine, reply
from tests.kit.parity import Parity
from tests.kit.smtp import Raw

from .sides import ENVELOPE, LATER, LOGS, message, session

pytestmark = pytest.mark.reference

_MAIL = ("MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>")
_DATA = ("DATA", "Subject: x\r\n\r\nhello\r\n.")
SESSIONS: dict[str, tuple[str | Raw, ...]] = {
    "nothing": ("QUIT",),
    "greeting": ("EHLO client.example", "QUIT"),
    "greetings": ("EHLO one.example", "HELO two.example", *_MAIL, "EHLO three.example", "QUIT"),
    "RSET": ("EHLO one.example", "RSET", *_MAIL, "RSET", *_MAIL, "RSET", "QUIT"),
    "two messages": ("EHLO one.example", *_MAIL, *_DATA, *_MAIL, *_DATA, "QUIT"),
    "message given up": ("EHLO one.example", *_MAIL, "QUIT"),
    "no greeting": (*_MAIL, *_DATA, "QUIT"),
    "bad commands": ("EHLO one.example", "MAIL FROM:<a", "MAIL", *_MAIL, "MAIL FROM:<x@y.example>", "RCPT", "FOO  bar", "QUIT"),
    "too large": ("EHLO one.example", "MAIL FROM:<a@b.example> SIZE=99999999", *_MAIL, *_DATA, "QUIT"),
    "parameters": ("EHLO one.example", "MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=e", "RCPT TO:<user@ours.example> NOTIFY=NEVER ORCPT=rfc822;a@b", *_DATA, "QUIT"),
    "null sender": ("EHLO one.example", "MAIL FROM:<>", "RCPT TO:<user@ours.example>", *_DATA, "QUIT"),
    "local names": ("EHLO one.example", "MAIL FROM:<root>", "RCPT TO:<postmaster>", *_DATA, "QUIT"),
    "relayed": ("EHLO one.example", "MAIL FROM:<a@b.example>", "RCPT TO:<x@relay.example>", "RCPT TO:<y@elsewhere.example>", *_DATA, "QUIT"),
    "refused recipients": ("EHLO one.example", "MAIL FROM:<a@b.example>", "RCPT TO:<nobody@ours.example>", *_DATA[:1], "RCPT TO:<user@ours.example>", *_DATA, "QUIT"),
    "chunks": ("EHLO one.example", *_MAIL, Raw(b"BDAT 12\r\nSubject: x\r\n"), Raw(b"BDAT 9 LAST\r\n\r\nhello\r\n"), *_MAIL, Raw(b"BDAT 5 LAST\r\na:b\r\n"), "QUIT"),
    "XCLIENT": ("EHLO one.example", "XCLIENT NAME=spike.example ADDR=192.0.2.1 PORT=1234", "EHLO two.example", *_MAIL, *_DATA, "QUIT"),
    "XCLIENT IPv6": ("EHLO one.example", "XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1", *_MAIL, *_DATA, "QUIT"),
    "XCLIENT with names": ("EHLO one.example", "XCLIENT NAME=a.example REVERSE_NAME=b.example ADDR=192.0.2.1 LOGIN=me", "EHLO two.example", *_MAIL, *_DATA, "QUIT"),
    "XFORWARD": ("EHLO one.example", "XFORWARD NAME=spike.example ADDR=192.0.2.1 HELO=x", *_MAIL, *_DATA, "QUIT"),
    "VRFY and others": ("EHLO one.example", "VRFY <user@ours.example>", "ETRN foo", "NOOP", "HELP", "QUIT"),
    "8-bit": ("EHLO one.example", "MAIL FROM:<a@b.example> SMTPUTF8", "RCPT TO:<user@ours.example>", "DATA", "Subject: gr\u00fc\u00dfe\r\n\r\nhell\u00f6\r\n.", "QUIT"),
    "MIME": (*ENVELOPE, "DATA", "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=xx\r\n\r\npre\r\n--xx\r\nA: b\r\n\r\nfoo\r\n--xx\r\nContent-Type: message/rfc822\r\n\r\nB: c\r\n\r\nd\r\n--xx--\r\n.", "QUIT"),
    "no header": (*ENVELOPE, "DATA", "\r\nhello\r\n.", "QUIT"),
    "no empty line": (*ENVELOPE, "DATA", "hello\r\nthere: x\r\n.", "QUIT"),
    "header only": (*ENVELOPE, "DATA", "Subject: x\r\n.", "QUIT"),
    "empty body": (*ENVELOPE, "DATA", "Subject: x\r\n\r\n.", "QUIT"),
    "long lines": (*ENVELOPE, "DATA", "Subject: " + "w" * 5000 + "\r\n\r\n" + "v" * 5000 + "\r\nend\r\n.", "QUIT"),
    "large body": message("Subject: x\r\n\r\n" + ("x" * 70 + "\r\n") * 3000),
    "many headers": message("".join(f"X-{number}: {'v' * number}\r\n" for number in range(300)) + "\r\nhello\r\n"),
    "empty headers": message("A:\r\nB: \r\nC:\t\r\nD :e\r\nE:f\r\n\r\nhello\r\n"),
    "dots": message("Subject: x\r\n\r\n..\r\n.. two\r\n"),
}  # fmt: skip
_MAIN = {
    "smtpd_authorized_xclient_hosts": TRUSTED,
    "smtpd_authorized_xforward_hosts": TRUSTED,
    "smtpd_helo_required": "no",
    **LATER,
}
EVERY = (
    "j v _ i {daemon_name} {daemon_addr} {daemon_port} {client_addr} {client_connections} {client_name} {client_port} "
    "{client_ptr} {client_resolve} {tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {auth_type} "
    "{auth_authen} {auth_author} {mail_mailer} {mail_host} {mail_addr} {rcpt_mailer} {rcpt_host} {rcpt_addr} {if_name} "
    "given {x} {nothing} s daemon_name {j} y"
)
STAGES = ("connect", "helo", "mail", "rcpt", "data", "end_of_header", "end_of_data", "unknown_command")


WITH_EVERY = (
    "greetings", "two messages", "no greeting", "parameters", "null sender", "local names", "relayed", "refused recipients",
    "XCLIENT", "XCLIENT IPv6", "XCLIENT with names", "XFORWARD",
)  # fmt: skip
"""Sessions in which macros have different values."""


@pytest.mark.parametrize(
    ("lines", "macros"), [(one, "standard") for one in SESSIONS] + [(one, "every") for one in WITH_EVERY]
)
def test_events(parity: Parity, milter: ScriptedMilter, lines: str, macros: str) -> None:
    main = {"smtpd_milters": milter.endpoint, **_MAIN}
    if macros == "every":
        main |= {f"milter_{stage}_macros": EVERY for stage in STAGES}
        main |= {
            "milter_macro_defaults": "given=1, {x}=2, { y = 3 }, {auth_type}=none",
            "milter_macro_v": "V $mail_name",
            "milter_macro_daemon_name": "DAEMON",
        }
    script = Script({"eom": [add_header("X-Seen", "yes"), CONTINUE]})
    parity(session({milter: script}, SESSIONS[lines]), main=main, logs=LOGS)


def test_a_counted_client(parity: Parity, milter: ScriptedMilter) -> None:
    """{client_connections} of a client that anvil counts."""
    main = {"smtpd_milters": milter.endpoint, "milter_connect_macros": "{client_connections}", **LATER}
    parity(session({milter: Script()}, client=STRANGER), main=main, logs=LOGS)


@pytest.mark.parametrize("value", ["DISABLE", "disable", "OTHER", "inet:127.0.0.1:1", "{ OTHER, default_action=accept }", ""])
@pytest.mark.parametrize("standard", ["yes", "no"])
def test_maps(parity: Parity, milter: ScriptedMilter, second: ScriptedMilter, value: str, standard: str) -> None:
    files = {"milters": f"{TRUSTED} {value.replace('OTHER', second.endpoint)}\n" if value else "x y\n"}
    main = {
        "smtpd_milters": milter.endpoint if standard == "yes" else "",
        "smtpd_milter_maps": "texthash:{dir}/etc/milters",
        **LATER,
    }
    parity(session({milter: Script(), second: Script()}), main=main, files=files, logs=LOGS)


def test_override(parity: Parity, milter: ScriptedMilter) -> None:
    main = {"smtpd_milters": milter.endpoint, "receive_override_options": "no_milters", **LATER}
    parity(session({milter: Script()}), main=main, logs=LOGS)


@pytest.mark.parametrize("answer", ["reject", "hold", "reply"])
def test_what_lasts(parity: Parity, milter: ScriptedMilter, answer: str) -> None:
    """A refusal is of one message; a milter that holds one is not asked about the next, which is held, too."""
    answers = {"reject": [REJECT], "hold": [quarantine("wait"), CONTINUE], "reply": [reply("450 4.7.1 <%s> 100% no")]}
    lines = ("EHLO one.example", *_MAIL, "RSET", "MAIL FROM:<b@b.example>", "RCPT TO:<user@ours.example>", *_DATA, "QUIT")
    script = Script({"mail <a@b.example>": answers[answer]})
    parity(session({milter: script}, lines), main={"smtpd_milters": milter.endpoint, **LATER}, logs=LOGS)


@pytest.mark.parametrize("delayed", ["yes", "no"])
def test_restrictions_come_first(parity: Parity, milter: ScriptedMilter, delayed: str) -> None:
    main = {
        "smtpd_milters": milter.endpoint,
        "smtpd_delay_reject": delayed,
        "smtpd_helo_restrictions": "check_helo_access inline:{ { one.example = REJECT no helo } }",
        "smtpd_sender_restrictions": "check_sender_access inline:{ { x@b.example = REJECT no sender } }",
        "smtpd_data_restrictions": "check_sender_access inline:{ { y@b.example = REJECT no data } }",
        "smtpd_end_of_data_restrictions": "check_sender_access inline:{ { z@b.example = REJECT no end } }",
        **LATER,
    }
    lines = ["EHLO one.example", "EHLO two.example"]
    for sender in "xyz":
        lines += [f"MAIL FROM:<{sender}@b.example>", "RCPT TO:<user@ours.example>", "DATA"]
        if sender == "z":
            lines.append("Subject: x\r\n\r\nhello\r\n.")
        lines.append("RSET")
    parity(session({milter: Script()}, [*lines, "QUIT"]), main=main, logs=LOGS)


def test_prepended_headers(parity: Parity, milter: ScriptedMilter) -> None:
    main = {
        "smtpd_milters": milter.endpoint,
        "smtpd_sender_restrictions": "check_sender_access inline:{ { a@b.example = PREPEND X-Before: yes } }",
        **LATER,
    }
    script = Script({"eom": [add_header("X-Seen", "yes"), CONTINUE]})
    parity(session({milter: script}), main=main, logs=LOGS)
