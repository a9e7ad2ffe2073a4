"""What MAIL takes for an address, and how it is shown."""

from __future__ import annotations

import pytest

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

SHOWING = LENIENT | {"smtpd_delay_reject": "no", "smtpd_sender_restrictions": "reject"}
"""Each sender that is understood is shown in its refusal."""

PATHS = [
    "<a@x.test>", " a@x.test", "<  user@ours.example >", "a", "<a>", "<>", "< >", "", "a b", "<a b>", "<a b@x>",
    '"a b"@x', '<"a b"@x>', "Foo <a@x>", "<Foo <a@x>>", "<<a@x>>", "(c)a@x", "<(c)a@x>", "<a@x>(c)", "<a@x> (c)",
    "<a(c)@x>", "<a@(c)x>", "<@a,@b:c@d>", "<@a:c@d>", "@a:c@d", "<a@[1.2.3.4]>", "<a@[127.0.0.1]>", "<a@[IPv6:::1]>",
    "<a@[x]>", "<a@[]>", "<a@ours..example>", "<a@.x>", "<a@x.>", "<a@-x>", "<a@x_y>", "<a@>", "<@x>", '<"">',
    '<""@x>', '<"a\\"b"@x>', "<a\\ b@x>", "<a\\b@x>", '<"a"@x>', "<a..b@x>", "<.a@x>", "<a.@x>", "<a@x", "a@x>",
    "<a@b@c>", "<a@x,b@y>", "a@x,b@y", "a;b@x", "<a;b@x>", "<a:b@x>", "a:b@x", "<g:a@x;>", "<a%b@x>", "<a!b@x>",
    "<a!b>", "<%a@x>", "<a@x@>", '<"a@b"@c>', '<"a\tb"@c>', "<a\tb@c>", '"<a@x>', '<a"b@x>', '<a@"x">', "<a[b@x>",
    "<a)b@x>", "<(a@x>", "<a@x\\>", "\\<a@x>", '<\\"a@x>', "<a'b@x>", "<a@x>b", "<a@x>b c", "<a@1.2.3.4>", "<a@1>",
    "<postmaster>", '<"@x>', "<\u00e9@x>", "<a@\u00e9>", "<a@xn--9ca>", "<-a@x>", '<"-a"@x>', "<a@x>,b", ":<a@x>",
    "<a@x> TO:x", "<a@x> FROM:FROM:x", '<a@x> "b', "<a@x> b\\", "a\\", "<a@x>\\ b", '<a@b>"c d"', '"a"b@x',
    'a."b c".d@x', "a<b c>d", "<a>b>", "(a b)", "<(a > b)c@d>", '<"a > b"c@d>', "<a@b;c>", "<a@b;>", "a:b;", "<g:;>",
    "<g:a@b,c@d;>", "<a,>", "<,a>", "<@>", "<@a>", "<@a:>", "<@a:@b>", "<@a:b>", '<"a" "b"@c>', '<"a""b"@c>',
    "<a . b@c>", "<a @ b>", "<[a]@b>", "<a@[1.2.3.4]x>", "<a@x[1.2.3.4]>", "<\\>a@b>", "<a\\@b@c>", '<"a\rb"@c>',
    "<>x", "x<>", "<<>>", "< < > >", "<a@b>>", "<<a@b>", "<a@b>,<c@d>", "[a]", "<a|b@c>", "<|a@b>", "</a@b>",
    "<a%b@>", "<a@b!c>", "<%>", "<a!>", "<a@b..>", "<a@[ipv6:::1]>", "<a@[01.2.3.4]>", "<" + "a" * 300 + "@b>",
    "<a@" + "b" * 64 + ">", "<a@b-.c>", "<a@b_>", "<a@b+c>", "<a@b@[1.2.3.4]>", "<\x01a@b>", "<a\x7f@b>", "<a@\x01b>",
]  # fmt: skip

PARAMETERS = [
    "SIZE=1 SIZE=2", "size=+1", "SIZE=-1", "SIZE=", "SIZE", " SIZE=3  ", "SIZE=99999999", "SIZE=99999999999999999999999",
    "BODY=7bit", "BODY=8BITMIME", "BODY=", "BODY=BINARYMIME", "RET=FULL", "RET=full RET=HDRS", "RET=X", "ENVID=a+2Bb",
    "ENVID=a+2", "ENVID=", "ENVID=\u00e9 SMTPUTF8", "ENVID=x ENVID=y", "AUTH=", "AUTH=a@b", "AUTH=a+3Db", "AUTH=<>",
    "SMTPUTF8", "SMTPUTF8=1", "REQUIRETLS", "XVERP", "XVERP=+-", "XVERP=abc", "XFOO", '"b c"', "<b>", "b=c d",
]  # fmt: skip


def mails(paths: list[str]) -> list[str]:
    return ["EHLO client.test", *(f"MAIL FROM:{path}" for path in paths)]


def test_paths(same_dialogue: Compare) -> None:
    same_dialogue(*mails(PATHS), main=SHOWING)


def test_paths_when_strict(same_dialogue: Compare) -> None:
    same_dialogue(*mails(PATHS), main=SHOWING | {"strict_rfc821_envelopes": "yes"})


def test_parameters_of_mail(same_dialogue: Compare) -> None:
    lines = [line for word in PARAMETERS for line in (f"MAIL FROM:<a@x> {word}", "RSET")]
    same_dialogue("EHLO client.test", *lines, main=LENIENT)


@pytest.mark.parametrize("utf8", ["yes", "no"])
def test_international_addresses(same_dialogue: Compare, utf8: str) -> None:
    # Without smtputf8_enable Postfix logs question marks for such bytes; our log shows them.
    log = utf8 == "yes"
    paths = ["<\u00e9@x>", "<a@\u00e9.example>", "<a@\u00e9.example> SMTPUTF8", "<\u00e9@x> SMTPUTF8", "<a@xn--9ca>"]
    same_dialogue(*mails(paths), main=SHOWING | {"smtputf8_enable": utf8}, log=log)


def test_parameters_of_rcpt(same_dialogue: Compare) -> None:
    words = [
        "x", "NOTIFY=", "NOTIFY=NEVER", "NOTIFY=NEVER,DELAY", "NOTIFY=success,FAILURE,delay", "NOTIFY=success,success",
        "NOTIFY=success,", "NOTIFY=success NOTIFY=delay", "NOTIFY", "ORCPT=", "ORCPT=rfc822;", "ORCPT=rfc822;a@b",
        "ORCPT=RFC822;a+2Bb@c", "ORCPT=rfc822;a+2", "ORCPT=utf-8;a\\x{e9}@c", "ORCPT=x;a@c", "ORCPT=;a",
        "ORCPT=rfc822;a ORCPT=rfc822;b", "ORCPT=rfc822;\u00e9", "ORCPT=rfc822;a+2Bb@c NOTIFY=DELAY",
    ]  # fmt: skip
    lines = [f"RCPT TO:<user@ours.example> {word}" for word in words]
    same_dialogue("EHLO client.test", "MAIL FROM:<a@x>", *lines, main=LENIENT)


@pytest.mark.parametrize("proxies", ["", "192.0.2.5", "192.0.2.5, [2001:db8::5]"])
def test_own_address_literals(same_dialogue: Compare, proxies: str) -> None:
    """An address of an interface or of a proxy before us is local; another is not."""
    addresses = ("127.0.0.1", "192.0.2.5", "192.0.2.6", "127.0.0.2", "IPv6:::1", "IPv6:2001:db8::5")
    main = LENIENT | {
        "local_recipient_maps": "inline:{root=1}", "proxy_interfaces": proxies, "fast_flush_domains": "$mydestination",
        "inet_protocols": "all", "smtpd_recipient_restrictions": "permit_inet_interfaces, reject_unauth_destination",
    }  # fmt: skip
    same_dialogue(
        "EHLO c", "MAIL FROM:<a@[192.0.2.5]>",
        *[f"RCPT TO:<{user}@[{address}]>" for user in ("root", "nobody") for address in addresses], "VRFY root@[192.0.2.5]",
        "ETRN [192.0.2.5]", "RSET", "XCLIENT ADDR=192.0.2.5 DESTADDR=192.0.2.5", "EHLO c", "MAIL FROM:<a@b>",
        "RCPT TO:<x@elsewhere.example>", main=main,
    )  # fmt: skip
