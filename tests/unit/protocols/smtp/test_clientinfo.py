from __future__ import annotations

import pytest

from pyfix.protocols.smtp.clientinfo import TEMPORARY, UNAVAILABLE, parse_xclient, parse_xforward
from pyfix.protocols.smtp.command import CommandError, Word


def xclient(text: str, ipv6: bool = True) -> dict[str, str]:
    found: dict[str, str] = {}
    parse_xclient([Word(word) for word in text.split()], found, ipv6=ipv6)
    return found


def xforward(text: str) -> dict[str, str]:
    found: dict[str, str | None] = {}
    parse_xforward([Word(word) for word in text.split()], found, ipv6=True)
    return found


def test_xclient() -> None:
    assert xclient("name=a.b ADDR=IPV6:2001:db8::1 PROTO=esmtp LOGIN=a+20b") == {
        "NAME": "a.b", "ADDR": "2001:db8::1", "PROTO": "ESMTP", "LOGIN": "a b",
    }  # fmt: skip
    assert xclient("NAME=[tempunavail] ADDR=[UNAVAILABLE] HELO=a+2") == {
        "NAME": TEMPORARY, "ADDR": UNAVAILABLE, "HELO": "a+2",
    }  # fmt: skip


def test_xforward() -> None:
    assert xforward("NAME=[UNAVAILABLE] ADDR=1.2.3.4 HELO=a(b SOURCE=local IDENT=x+20y") == {
        "NAME": None, "ADDR": "1.2.3.4", "HELO": "a?b", "SOURCE": "LOCAL", "IDENT": "x?y",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("", "501 5.5.4 Syntax: XCLIENT attribute=value..."),
        ("NAME", "501 5.5.4 Error: attribute=value expected"),
        ("FOO=1", "501 5.5.4 Bad XCLIENT attribute name: FOO"),
        ("NAME=-x", "501 5.5.4 Bad NAME syntax: -x"),
        ("ADDR=x", "501 5.5.4 Bad ADDR syntax: x"),
        ("ADDR=[TEMPUNAVAIL]", "501 5.5.4 Bad ADDR syntax: [TEMPUNAVAIL]"),
        ("PORT=123456", "501 5.5.4 Bad PORT syntax: 123456"),
        ("PROTO=x", "501 5.5.4 Bad PROTO syntax: x"),
    ],
)
def test_bad_xclient(text: str, reply: str) -> None:
    with pytest.raises(CommandError) as caught:
        xclient(text)
    assert caught.value.reply == reply


@pytest.mark.parametrize("text", ["ADDR=::1", "SOURCE=x", "PORT=x", "NAME=a..b"])
def test_bad_xforward(text: str) -> None:
    with pytest.raises(CommandError, match=r"501 5\.5\.4 Bad [A-Z]+ syntax"):
        xforward(text)


def test_ipv6_only_where_it_is_on() -> None:
    with pytest.raises(CommandError, match="Bad ADDR syntax"):
        xclient("ADDR=IPV6:::1", ipv6=False)
