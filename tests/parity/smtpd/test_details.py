"""Details of parameters that only few sites set."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from tests.kit.parity import InstancePool, Parity
from tests.kit.processes import wait_until
from tests.kit.smtp import Line
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIL: list[Line] = ["EHLO c", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]


@pytest.mark.parametrize(
    "hidden",
    [
        "8bitmime auth pipelining, starttls, XCLIENT XFORWARD ETRN vrfy foo", "verp size requiretls chunking dsn smtputf8",
        "enhancedstatuscodes", "8bitmime dsn silent-discard", "foo",
    ],
    ids=range(5),
)  # fmt: skip
def test_discarded_keywords(same_dialogue: Compare, hidden: str) -> None:
    same_dialogue(
        "EHLO c", "MAIL FROM:<\u00e9@x> SMTPUTF8 SIZE=3", "RSET", "MAIL FROM:<a@\u00e9.test>", "RSET", "MAIL FROM:<a@x> XVERP",
        "RSET", "MAIL FROM:<\u00e9@x>", "RSET", "VRFY \u00e9@x SMTPUTF8", "XFORWARD NAME=a", b"BDAT 3 LAST\r\nab\n", "QUIT",
        main=LENIENT | {"smtpd_discard_ehlo_keywords": hidden},
    )  # fmt: skip


@pytest.mark.parametrize("hidden", ["", "verp"])
def test_verp_for_whom_nobody_knows(same_dialogue: Compare, hidden: str) -> None:
    lines = [f"MAIL FROM:<a@x> {word}" for word in ("XVERP", "FOO XVERP", "RET=X", "ENVID=", "SIZE=x", "BODY=x", "AUTH=x FOO")]
    main = LENIENT | {"smtpd_authorized_verp_clients": "fail:x", "smtpd_discard_ehlo_keywords": hidden}
    same_dialogue("NOOP", "HELO c", *lines, "EHLO c", "NOOP", main=main)


def test_limits_for_whom_nobody_knows(same_dialogue: Compare) -> None:
    main = LENIENT | {
        "smtpd_client_event_limit_exceptions": "fail:x",
        "smtpd_client_connection_rate_limit": "1",
        "smtpd_authorized_xclient_hosts": "",
        "anvil_rate_time_unit": "1h",
    }
    for _ in range(2):
        same_dialogue("NOOP", "QUIT", main=main)


@pytest.mark.parametrize(
    "footer",
    [
        " ".join(f"{name}=${{{name}}} ${{{name}?y}} ${{{name}:n}}" for name in (
            "client", "client_address", "client_name", "reverse_client_name", "helo_name", "sender", "recipient",
            "server_address", "server_name", "server_port", "mail_name", "rbl_code", "queue_id", "foo",
        )),
        "\\c at ${localtime?some} time", "x $(client_name)y $", "x ${client_name", "\\c x $(foo bar)", "a\\nb \\c c\\", "\\c",
    ],
    ids=range(7),
)  # fmt: skip
def test_footers(same_dialogue: Compare, footer: str) -> None:
    lines = ["FOO", "HELO a(b) \x01\u00e9", 'MAIL FROM:<"a b{}"@x.test>', "RCPT TO:<nobody@ours.example>"]
    same_dialogue(*lines, main=LENIENT | {"smtpd_reject_footer": footer})


def test_characters_of_footers(same_dialogue: Compare) -> None:
    main = {"smtpd_reject_footer": "x $helo_name ${sender?$sender} $client", "smtpd_expansion_filter": "abc\\40"}
    same_dialogue("HELO abdc d", 'MAIL FROM:<"a b\\001d"@c>', "FOO", main=LENIENT | main)


def test_reject_filter(same_dialogue: Compare) -> None:
    main = {"smtpd_reject_filter_maps": "regexp:{{/^550 (.*)/ 450 $$1}, {/^503/ 503}, {/^500/ bad}, {/^501/ 250 x}, {/^502 [^ ]*(.*)/ 450 4.7.1$$1}}"}
    same_dialogue(*MAIL, "FOO", "MAIL", "DATA x", "RSET x", "STARTTLS", "RCPT TO:<nobody@ours.example>", main=LENIENT | main)


@pytest.mark.parametrize("utf8", ["yes", "no"])
def test_unicode_that_is_not_declared(same_dialogue: Compare, utf8: str) -> None:
    lines = ["MAIL FROM:<\u00e9@x>", "MAIL FROM:<a@x>", "RCPT TO:<\u00e9@ours.example>", "VRFY \u00e9@ours.example"]
    same_dialogue("EHLO c", *lines, main=LENIENT | {"strict_smtputf8": "yes", "smtputf8_enable": utf8})


@pytest.mark.parametrize("line", ["EXPN \u00e9@x", "X: " + "\u00e9" * 90, "Ab\\: \\", b"\x16\x03\x01\x02\r\n", "foo"], ids=range(5))
def test_forbidden_commands(same_dialogue: Compare, line: Line) -> None:
    same_dialogue(line, "NOOP", main=LENIENT | {"smtpd_forbidden_commands": "regexp:{{/^[^A-Z]/ Bogus}}, expn"})


@pytest.mark.parametrize(
    "main",
    [
        {"smtpd_helo_restrictions": "defer, permit_mynetworks", "smtpd_delay_reject": "no"},
        {"smtpd_sender_restrictions": "permit, foo", "smtpd_log_access_permit_actions": "static:x"},
        {"smtpd_recipient_restrictions": "warn_if_reject, permit, reject"},
        {"smtpd_sender_restrictions": "reject_plaintext_session", "plaintext_reject_code": "550"},
        {"smtpd_reject_unlisted_sender": "yes", "sender_canonical_maps": "inline:{nobody@ours.example=x}"},
        {"smtpd_reject_unlisted_sender": "yes", "sender_canonical_maps": "fail:x"},
    ],
    ids=str,
)
def test_restrictions(same_dialogue: Compare, main: dict[str, str]) -> None:
    lines = ["MAIL FROM:<nobody@ours.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<nobody@ours.example>"]
    same_dialogue("HELO c", *lines, main=LENIENT | main)


@pytest.mark.parametrize("used", ["", "one"])
def test_class_without_restrictions(instance_pool: InstancePool, used: str) -> None:
    """The process ends, whether or not a list has the class."""
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> str:
        mta.write_main(smtpd_restriction_classes="one", one="", smtpd_client_restrictions=used)
        mta.reload()
        assert wait_until(lambda: not mta.pids_of("smtpd"), 5)
        with socket.create_connection((mta.host, mta.port)):
            found: re.Match[str] = mta.wait_for_log(r"smtpd\[\d+\]: (fatal: .*)")
        return found[1]

    parity(case, replace={"smtpd": "pyfix"}, fresh=True)


def test_xforward(same_dialogue: Compare) -> None:
    words = [
        "NAME=<a>", "NAME=a(b", "ADDR=<a>", "ADDR=1.2.3.4\x01", "PORT=a<", "SOURCE=a<b", "SOURCE=[UNAVAILABLE]",
        "SOURCE=[TEMPUNAVAIL]", "NAME=a+3Cb", "FOO<=1", "NAME=[x]", "IDENT=<a>", "IDENT=a+01b", 'HELO="a b"', "PROTO=[x]<",
        "HELO=[1.2.3.4]", "SOURCE=LOCAL SOURCE=[UNAVAILABLE]", "NAME=a ADDR=[UNAVAILABLE]",
    ]  # fmt: skip
    same_dialogue(*(f"XFORWARD {word}" for word in words), *MAIL[1:], main=LENIENT, queue=True)


def test_xclient(same_dialogue: Compare) -> None:
    words = ["NAME=<a>", "NAME=a(b", "ADDR=<a>", "PORT=a<", "FOO<=1", "NAME=[x]", "PROTO=a<", "LOGIN=a<b>", "HELO=[1.2.3.4]"]
    same_dialogue(*(f"XCLIENT {word}" for word in words), *MAIL[1:], main=LENIENT)


@pytest.mark.parametrize("early", ["yes", "no"])
def test_actions_out_of_place(same_dialogue: Compare, early: str) -> None:
    """What can't be done to a message that is not there, or is there already."""
    actions = [
        "HOLD x", "DISCARD", "FILTER smtp:x", "REDIRECT a@b.c", "REDIRECT x", "BCC a@b.c", "PREPEND X: y", "DEFER_IF_PERMIT",
        "DEFER_IF_REJECT", "OK",
    ]  # fmt: skip
    table = ", ".join(f"{{c{number}={action}}}" for number, action in enumerate(actions))
    check = f"check_helo_access inline:{{{table}}}"
    names = ("etrn", "end_of_data") if early == "yes" else ("helo",)
    main = LENIENT | {"smtpd_delay_reject": early} | {f"smtpd_{name}_restrictions": check for name in names}
    lines = [line for number in range(len(actions)) for line in (f"HELO c{number}", "ETRN ours.example")]
    for number in (6, 7):
        lines += [f"HELO c{number}", *MAIL[1:], "DATA", b"x\r\n.\r\n"]
    same_dialogue(*lines, main=main)


def test_addresses_of_xclient(same_dialogue: Compare) -> None:
    """They are shown as the system writes them."""
    for address in ("IPV6:2001:DB8:0::01", "127.000.0.1", "010.2.3.4", "IPV6:::FFFF:1.2.3.4"):
        main = LENIENT | {"inet_protocols": "all"}
        same_dialogue(f"XCLIENT ADDR={address}", "FOO", *MAIL[1:], "QUIT", main=main)
