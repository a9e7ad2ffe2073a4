"""AUTH with Dovecot's service: its replies, and what clients may do when."""

from __future__ import annotations

import pytest

from tests.kit.authdouble import VERDICTS, encoded
from tests.kit.smtp import Line

from .conftest import Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

JOE = encoded("", "joe", "pw")
SLOW = {"silent", "wrongid", "letters", "noise"}
"""Verdicts that the reference waits for in vain, for ten seconds."""


def plain(user: str, password: str = "pw") -> str:
    return f"AUTH PLAIN {encoded('', user, password)}"


def mail(sender: str = "a@b.example", recipient: str = "x@elsewhere.example") -> list[Line]:
    return [f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "RSET"]


SESSIONS: dict[str, list[Line]] = {
    **{f"verdict {user}": ["EHLO c", plain(user), "NOOP", plain("unheard"), *mail(), "QUIT"]
       for user in VERDICTS if user not in SLOW | {"again", "empty", "bad64", "half"}},
    **{f"more {user}": ["EHLO c", plain(user), "*", plain(user), encoded("joe"), *mail(), "QUIT"] for user in ("again", "empty", "bad64")},
    "in the wrong place": [
        "AUTH PLAIN xx", "HELO c", "AUTH", "AUTH PLAIN a b", "AUTH FOO", f"AUTH foo {encoded('x')}", "MAIL FROM:<a@b>", "AUTH PLAIN",
        "RSET", plain("joe"), "AUTH PLAIN", plain("joe"), "MAIL FROM:<a@b>", "AUTH PLAIN", "AUTH", "QUIT",
    ],
    "login": ["EHLO c", "AUTH LOGIN", encoded("joe"), encoded("pw"), *mail(), "QUIT"],
    "login with name": ["EHLO c", f"AUTH LOGIN {encoded('joe')}", encoded("pw"), *mail(), "QUIT"],
    "login refused": ["EHLO c", "AUTH LOGIN", encoded("nono"), encoded("pw"), "AUTH LOGIN", encoded("joe"), encoded("pw"), "QUIT"],
    "cram": ["EHLO c", "AUTH CRAM-MD5", encoded("joe 0123"), *mail(), "QUIT"],
    "cancelled": ["EHLO c", "AUTH LOGIN", "*", "AUTH LOGIN", encoded("joe"), "*", "AUTH PLAIN", "*", *mail(), "QUIT"],
    "nearly cancelled": ["EHLO c", "AUTH PLAIN", "* ", "AUTH PLAIN", " *", "AUTH PLAIN", "**", "QUIT"],
    "empty responses": ["EHLO c", "AUTH PLAIN =", "AUTH LOGIN", "", "", "AUTH LOGIN =", "", "", "QUIT"],
    "lower case": ["EHLO c", f"auth plain {JOE}", "*", "AUTH login", "*", f"AUTH  PLAIN   {JOE}", *mail(), "QUIT"],
    "bad initial responses": ["EHLO c", *(f"AUTH PLAIN {text}" for text in (
        "x=y", "=x", "x", "a=", "====", "A*", "A-_", "YQ==YQ==", "YQ=", "YQ", "+/", "A,A", "A:", "A.", "!!", "\u00e9", "<YQ==>", '"YQ=="',
    )), "QUIT"],
    "bad responses": ["EHLO c", *(line for text in (
        "x=y", "=x", "x", "A\tB", "A B", " AB", "AB ", "A\x01B", "\u00e9", "!!", "====", "A\x00B",
    ) for line in ("AUTH PLAIN", text)), "QUIT"],
    "failures in a row": ["EHLO c", plain("bare"), plain("reason"), plain("bare"), "AUTH FOO", "AUTH PLAIN !", plain("nobody"), "QUIT"],
    "again after EHLO": ["EHLO c", plain("joe"), "EHLO d", plain("joe"), *mail(), "QUIT"],
    "without EHLO": [plain("joe"), *mail(), "QUIT"],
    "xclient forgets": ["EHLO c", plain("joe"), "XCLIENT NAME=a ADDR=1.2.3.4", "EHLO y", *mail(), plain("joe"), "QUIT"],
    "xclient forgets failures": ["EHLO c", plain("reason"), "XCLIENT NAME=a", plain("bare"), "QUIT"],
    "xclient login": ["XCLIENT LOGIN=bob", "EHLO y", plain("joe"), *mail(), "QUIT"],
    "xclient addresses": ["XCLIENT NAME=z.test ADDR=IPv6:2001:db8::1 PORT=77 DESTADDR=1.2.3.9 DESTPORT=25", "EHLO y", plain("joe"), "QUIT"],
    "xclient without address": ["XCLIENT ADDR=[UNAVAILABLE]", "EHLO y", plain("joe"), "QUIT"],
    "gone": ["EHLO c", "AUTH PLAIN"],
    "gone in the middle": ["EHLO c", "AUTH LOGIN", encoded("joe")],
    "long name of a mechanism": ["EHLO c", f"AUTH {'x' * 300}", f"AUTH {'x' * 99}\u00e9", "QUIT"],
    "mail with AUTH": ["EHLO c", plain("joe"), "MAIL FROM:<a@b> AUTH=joe", "RCPT TO:<x@elsewhere.example>", "QUIT"],
    "mail with two AUTH": ["EHLO c", plain("joe"), "MAIL FROM:<a@b> AUTH=<>", "RCPT TO:<x@elsewhere.example>", "RSET", "MAIL FROM:<a@b> AUTH=x AUTH=y", "QUIT"],
    "long": ["EHLO c", f"AUTH PLAIN {'A' * 1600}", "AUTH PLAIN", "A" * 3000, "AUTH PLAIN", "A" * 12287, "AUTH PLAIN", "A" * 12288, "NOOP", "QUIT"],
}  # fmt: skip


@pytest.mark.parametrize("name", SESSIONS)
def test_session(same_with_dovecot: Compare, name: str) -> None:
    asked = same_with_dovecot([SESSIONS[name]], main={"inet_protocols": "all"})
    assert all(line.startswith(("AUTH\t<N>\t", "CONT\t<N>\t")) for line in asked)


def test_a_service_that_is_silent(same_with_dovecot: Compare) -> None:
    """After ten seconds the client is told to come again, and the next one is served."""
    same_with_dovecot([["EHLO c", plain("silent"), plain("joe"), "QUIT"]])
