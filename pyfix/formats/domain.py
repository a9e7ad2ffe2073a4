"""Host names, address literals and internationalised domain names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from pyfix.formats import idn

__all__ = [
    "ascii_complaint",
    "domain_to_ascii",
    "domain_to_utf8",
    "fold",
    "hostaddr_complaint",
    "is_hostaddr",
    "is_hostname",
    "is_ipv4",
    "is_ipv6",
    "literal_to_address",
    "mailhost_address",
    "parents",
    "unicode_complaint",
    "valid_mailhost_literal",
]

MAX_NAME = 255
"""Longest host name, in bytes (VALID_HOSTNAME_LEN)."""
MAX_LABEL = 63

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = re.compile(rf"(?=.{{1,255}}\Z)(?:{_LABEL}\.)*{_LABEL}\Z")
_WILDCARD = re.compile(rf"(?=.{{1,255}}\Z)\*\.(?:{_LABEL}\.)*{_LABEL}\Z")
_NUMERIC = re.compile(r"[0-9.]*\Z")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|0{0,2}[0-9]|0?[1-9][0-9])"
_IPV4 = re.compile(rf"(?!0+\.){_OCTET}(?:\.{_OCTET}){{3}}\Z")
_MALFORMED = "malformed ASCII label(s)"
_IPV6_TAG = "ipv6:"


def fold(text: str) -> str:
    """Return *text* in lower case, as lookup keys and domain comparisons need it.

    Source: postconf(5) smtputf8_enable (Unicode case folding when it is on).
    """
    return text.lower() if text.isascii() else text.casefold()


@lru_cache(maxsize=4096)
def is_hostname(name: str, *, wildcard: bool = False) -> bool:
    """Say whether *name* is a valid host name: labels of letters, digits, ``-`` and ``_``, not all numeric.

    With *wildcard*, ``*.example.com`` is valid too.  An internationalised name is valid when its A-label form is.
    Source: RFC 1123 section 2.1 with the underscore that the DNS has in practice.
    """
    if not name.isascii():
        name = domain_to_ascii(name) or ""
    if _HOSTNAME.match(name):
        return _NUMERIC.match(name) is None
    return wildcard and _WILDCARD.match(name) is not None


def is_ipv4(text: str) -> bool:
    """Say whether *text* is an IPv4 address in dotted form; the first octet is not 0."""
    return _IPV4.match(text) is not None


@lru_cache(maxsize=1024)
def is_ipv6(text: str) -> bool:
    """Say whether *text* is an IPv6 address without brackets, tag or zone."""
    if ":" not in text or "%" in text:
        return False
    try:
        IPv6Address(text)
    except (AddressValueError, ValueError):
        return False
    return True


def is_hostaddr(text: str) -> bool:
    """Say whether *text* is an IPv4 or IPv6 address without brackets."""
    return is_ipv6(text) if ":" in text else is_ipv4(text)


def mailhost_address(text: str) -> str | None:
    """Return the address inside of ``1.2.3.4`` or ``IPv6:::1``, the inside of a domain literal; None if it is neither.

    Source: RFC 5321 section 4.1.3.
    """
    if text[:5].lower() == _IPV6_TAG:
        return text[5:] if is_ipv6(text[5:]) else None
    return text if is_ipv4(text) else None


def valid_mailhost_literal(text: str) -> bool:
    """Say whether *text* is ``[1.2.3.4]`` or ``[IPv6:...]``."""
    return literal_to_address(text) is not None


def literal_to_address(text: str) -> str | None:
    """Return the address of ``[1.2.3.4]`` or ``[IPv6:...]``, or None when *text* is not such a literal."""
    if len(text) < 3 or text[0] != "[" or text[-1] != "]":
        return None
    return mailhost_address(text[1:-1])


def ascii_complaint(domain: str) -> str | None:
    """Return the warning about an internationalised domain without an A-label form, as Postfix words it, or None."""
    if domain and (domain.isascii() or domain_to_ascii(domain) is not None):
        return None
    return idn.complaint(domain, idn.ascii_form(domain)[1] or _MALFORMED)


def unicode_complaint(domain: str) -> str | None:
    """Return the warning about an ASCII name without a U-label form, as Postfix words it, or None."""
    if not domain.isascii() or domain_to_utf8(domain) is not None:
        return None
    name, wrong = idn.unicode_form(domain)
    if wrong:
        return idn.complaint(domain, wrong, "UTF8")
    return idn.complaint(name, idn.ascii_form(name)[1] or _MALFORMED)


def hostaddr_complaint(literal: str) -> str | None:
    """Return the warning about an address literal that is not one, as Postfix words it; None where it has none.

    Only literals that end as one and have no IPv6: tag are explained.
    """
    text = literal[1:-1]
    if not literal.endswith("]") or text[:5].lower() == _IPV6_TAG:
        return None
    name = "valid_ipv4_hostaddr"
    for character in text:
        if character not in "0123456789.":
            return f"{name}: invalid character {ord(character)}(decimal): {text[:100]}"
    octets = text.split(".")
    for octet in octets:
        if octet and int(octet) > 255:
            return f"{name}: invalid octet value: {text[:100]}"
    if "" in octets and text:
        return f"{name}: misplaced dot: {text[:100]}"
    if len(octets) != 4 or not text:
        return f"{name}: invalid octet count: {text[:100]}"
    if int(octets[0]) == 0:
        return f"{name}: bad initial octet value: {text[:100]}"
    return None


def parents(domain: str) -> Iterator[str]:
    """Yield the parent domains of *domain*, nearest first: ``a.b.c`` gives ``b.c``, ``c``."""
    dot = domain.find(".", 1)
    while dot >= 0:
        domain = domain[dot + 1 :]
        yield domain
        dot = domain.find(".", 1)


@lru_cache(maxsize=4096)
def domain_to_ascii(domain: str) -> str | None:
    """Return the A-label form of *domain*, or None when it has none.  ASCII names come back as they are."""
    if domain.isascii():
        return domain
    name, wrong = idn.ascii_form(domain)
    return name if not wrong and is_hostname(name) else None


@lru_cache(maxsize=4096)
def domain_to_utf8(domain: str) -> str | None:
    """Return the U-label form of *domain*, or None when it is malformed.

    A name that is not ASCII comes back as it is.
    """
    if not domain.isascii():
        return domain
    name, wrong = idn.unicode_form(domain)
    return name if not wrong and is_hostname(name) else None
