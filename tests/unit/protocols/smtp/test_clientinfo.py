from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.domain import is_hostaddr, is_hostname
from pyfix.protocols.smtp.clientinfo import (
    TEMPORARY,
    UNAVAILABLE,
    XCLIENT_NAMES,
    XFORWARD_NAMES,
    parse_xclient,
    parse_xforward,
)
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


_VALUES = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ["[UNAVAILABLE]", "[TEMPUNAVAIL]", "a.example", "192.0.2.1", "IPV6:2001:db8::1", "IPV6:x", "+41", "a+2", "70000", "25", "ESMTP", "LOCAL", "a+00b"]
)
_WORDS = st.lists(st.builds("{}={}".format, st.sampled_from(sorted({*XCLIENT_NAMES, *XFORWARD_NAMES, "x"})), _VALUES) | _VALUES, max_size=5)


@given(_WORDS, st.booleans())
def test_any_words(words: list[str], ipv6: bool) -> None:
    """They are refused, or what is taken is what the session may rely on: addresses are addresses, names are names."""
    for parse, names in ((parse_xclient, XCLIENT_NAMES), (parse_xforward, XFORWARD_NAMES)):
        found: dict[str, Any] = {}
        with suppress(CommandError):
            parse([Word(word) for word in words], found, ipv6=ipv6)
        assert found.keys() <= set(names)
        for name, value in found.items():
            if value in (None, UNAVAILABLE, TEMPORARY):
                continue
            assert "\0" not in value
            if name in ("ADDR", "DESTADDR"):
                assert is_hostaddr(value)
            elif name in ("NAME", "REVERSE_NAME"):
                assert value.isascii()
                assert is_hostname(value)
            elif name in ("PORT", "DESTPORT"):
                assert value.isdecimal()
