"""Addresses in two forms: external (quoted, as in SMTP and headers), internal (plain, as in tables and queue files)."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = [
    "external_to_internal",
    "internal_to_external",
    "is_standard",
    "quote_localpart",
    "quote_text",
    "split_address",
    "unquote_localpart",
]

_NOT_DOT_STRING = re.compile(r"""[\x00-\x20\x7f()<>@,;:\\"\[\]]|^\.|\.\.|\.\Z|^\Z""")
_ESCAPE = re.compile(r'[\\"\r]')
_ATOM = r"[A-Za-z0-9_=+/#$&'*?^`{|}~-]++"
_SIMPLE = re.compile(rf"{_ATOM}(?>(?:\.{_ATOM})*)@[A-Za-z0-9_-]++(?>(?:\.[A-Za-z0-9_-]++)+)\Z")
# Atomic groups, not (...)*+: Python before 3.11.5 takes "a." for a match of "a(?:\.b)*+" when "." is all that is there.


def is_standard(address: str) -> bool:
    """Say whether *address* is plain ``user@host.domain``: the same quoted and unquoted, and one that rewriting keeps.

    No quotes, no ``%`` or ``!``, a domain with a dot inside: whatever append_at_myorigin, append_dot_mydomain,
    swap_bangpath and allow_percent_hack say, trivial-rewrite(8) answers with the same address in each context.
    """
    return _SIMPLE.match(address) is not None


def quote_text(text: str) -> str:
    """Return *text* as a quoted string, quotes included."""
    if '"' in text or "\\" in text or "\r" in text:
        text = _ESCAPE.sub(r"\\\g<0>", text)
    return f'"{text}"'


def quote_localpart(localpart: str) -> str:
    """Return *localpart*, internal form, quoted if it is not a dot-string.  Source: RFC 5321 section 4.1.2."""
    return quote_text(localpart) if _NOT_DOT_STRING.search(localpart) else localpart


def internal_to_external(address: str) -> str:
    """Return *address*, internal form, in external form: the part before the last ``@`` is quoted if needed.

    A source route before a ``:`` stays as it is.  The empty address stays empty.
    """
    if _SIMPLE.match(address):
        return address
    if not address:
        return ""
    return quote_address(address)


def quote_address(address: str) -> str:
    """Return *address* quoted as internal_to_external does; the empty address becomes ``""``."""
    route = ""
    if address.startswith("@"):
        colon = address.find(":")
        if colon >= 0:
            route, address = address[: colon + 1], address[colon + 1 :]
    at = address.rfind("@")
    if at < 0:
        return route + quote_localpart(address)
    return route + quote_localpart(address[:at]) + address[at:]


def unquote_localpart(localpart: str) -> str:
    """Return *localpart*, external form, without quotes and backslashes."""
    if '"' not in localpart and "\\" not in localpart:
        return localpart
    return external_to_internal(localpart)


@lru_cache(maxsize=1024)
def external_to_internal(address: str) -> str:
    """Return *address*, external form, unquoted: quotes and backslashes of the part before the ``@`` are gone."""
    if '"' not in address and "\\" not in address:
        return address
    result: list[str] = []
    quoted = False
    position, end = 0, len(address)
    while position < end:
        character = address[position]
        if character == "@" and not quoted:
            break
        position += 1
        if character == '"':
            quoted = not quoted
        elif character == "\\":
            result.append(address[position : position + 1])
            position += 1
        else:
            result.append(character)
    return "".join(result) + address[position:]


def split_address(address: str) -> tuple[str, str]:
    """Split an internal-form address at its last ``@``; the domain is "" when there is none."""
    at = address.rfind("@")
    return (address, "") if at < 0 else (address[:at], address[at + 1 :])
