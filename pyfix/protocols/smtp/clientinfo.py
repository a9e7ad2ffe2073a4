"""XCLIENT and XFORWARD: a trusted client tells about the client behind it.

Source: XCLIENT_README, XFORWARD_README.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from typing import Final

from pyfix.formats.domain import is_hostaddr, is_hostname, is_ipv6
from pyfix.formats.textforms import XtextError, printable, xtext_decode
from pyfix.protocols.smtp.command import CommandError, Word

__all__ = ["TEMPORARY", "UNAVAILABLE", "XCLIENT_NAMES", "XFORWARD_NAMES", "parse_xclient", "parse_xforward"]

XCLIENT_NAMES: Final = ("NAME", "ADDR", "PROTO", "HELO", "REVERSE_NAME", "PORT", "LOGIN", "DESTADDR", "DESTPORT")
"""The attributes, in the order of the EHLO reply."""
XFORWARD_NAMES: Final = ("NAME", "ADDR", "PROTO", "HELO", "SOURCE", "PORT", "IDENT")

UNAVAILABLE: Final = "[UNAVAILABLE]"
TEMPORARY: Final = "[TEMPUNAVAIL]"
_MOST_VALUE: Final = 255
_IPV6_PREFIX: Final = "ipv6:"
_MAPPED: Final = "::ffff:"
_PORT: Final = re.compile(r"[0-9]{1,5}\Z")
_SPECIAL: Final = re.compile(r"[\x00-\x20\x7f()<>@,;:\\\"\[\]]")
_NOT_IN_NAME: Final = re.compile(r"[\x00-\x20\x7f()<>@,;\\\"]")


def _pairs(verb: str, names: Sequence[str], words: Sequence[Word]) -> Iterator[tuple[str, str]]:
    """Give the attributes one by one: a bad value is told of before what is wrong with a later attribute."""
    if not words:
        raise CommandError(f"501 5.5.4 Syntax: {verb} attribute=value...")
    for word in words:
        name, _, value = word.text.partition("=")
        if not value:
            raise CommandError("501 5.5.4 Error: attribute=value expected")
        if len(value) > _MOST_VALUE:
            raise CommandError("501 5.5.4 Error: attribute value too long")
        name = name.upper()
        if name not in names:
            raise CommandError(f"501 5.5.4 Bad {verb} attribute name: {name}")
        yield name, value


def _decoded(value: str) -> str:
    """Return a value without its xtext, up to a NUL; one that is not xtext is from an old client, and plain."""
    try:
        return xtext_decode(value).partition("\0")[0]
    except XtextError:
        return value


def _bad(name: str, value: str) -> CommandError:
    return CommandError(f"501 5.5.4 Bad {name} syntax: {printable(value)}")


def _is_name(value: str) -> bool:
    return value.isascii() and is_hostname(value)


def _address(name: str, value: str, ipv6: bool) -> str:
    """Return an address without the prefix that IPv6 ones have here."""
    if value.lower().startswith(_IPV6_PREFIX):
        bare = value[len(_IPV6_PREFIX) :]
        if not ipv6 or not is_ipv6(bare):
            raise _bad(name, value)
        shown = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, bare))
        return shown[len(_MAPPED) :] if shown.startswith(_MAPPED) and "." in shown else shown
    if ":" in value or not is_hostaddr(value):
        raise _bad(name, _NOT_IN_NAME.sub("?", value))
    try:
        return socket.inet_ntoa(socket.inet_aton(value))  # leading zeros mean octal numbers, as everywhere in C
    except OSError:
        return value


def parse_xclient(words: Sequence[Word], found: dict[str, str], *, ipv6: bool) -> None:
    """Add the attributes of XCLIENT to *found*, by name; unavailable ones have UNAVAILABLE or TEMPORARY.

    *ipv6*: whether inet_protocols has IPv6.  Raises CommandError; what stands before the bad attribute is in *found*.
    """
    for name, raw in _pairs("XCLIENT", XCLIENT_NAMES, words):
        value = raw if raw.upper() in (UNAVAILABLE, TEMPORARY) else _decoded(raw)
        special = value.upper() if value.upper() in (UNAVAILABLE, TEMPORARY) else ""
        if special == TEMPORARY and name in ("HELO", "LOGIN"):
            special = ""
        match name:
            case "NAME" | "REVERSE_NAME":
                if not special and not _is_name(value):
                    raise _bad(name, value)
            case "ADDR" | "DESTADDR":
                if special == TEMPORARY:
                    raise _bad(name, value)
                if not special:
                    value = _address(name, value, ipv6)
            case "PORT" | "DESTPORT":
                if special != UNAVAILABLE and _PORT.match(value) is None:
                    raise _bad(name, value)
            case "PROTO":
                if value.upper() not in ("SMTP", "ESMTP"):
                    raise _bad(name, value)
                value = value.upper()
        found[name] = special or value


def parse_xforward(words: Sequence[Word], found: dict[str, str | None], *, ipv6: bool) -> None:
    """Add the attributes of XFORWARD to *found*, by name; an unavailable one has None.

    Raises CommandError; what stands before the bad attribute is in *found*.
    """
    for name, raw in _pairs("XFORWARD", XFORWARD_NAMES, words):
        value = _decoded(raw)
        known = value.upper() != UNAVAILABLE
        match name:
            case "NAME":
                if known and not _is_name(value):
                    raise _bad(name, _NOT_IN_NAME.sub("?", value))
            case "ADDR":
                if known:
                    value = _address(name, value, ipv6)
            case "PORT":
                if known and _PORT.match(value) is None:
                    raise _bad(name, value)
            case "HELO" | "PROTO" if known:
                value = _SPECIAL.sub("?", value)
            case "IDENT" if known:
                value = _NOT_IN_NAME.sub("?", value)
            case "SOURCE" if known:
                if value.upper() not in ("LOCAL", "REMOTE"):
                    raise _bad(name, value)
                value = value.upper()
        found[name] = value if known else None
