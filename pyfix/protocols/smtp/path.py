"""Addresses in MAIL, RCPT and VRFY: from ``<user@domain>``, or worse, to internal form.

Source: RFC 5321 section 4.1.2; postconf(5) strict_rfc821_envelopes.
"""

from __future__ import annotations

import re
from typing import Final

from pyfix.formats.address_list import AddressList
from pyfix.formats.tokens import COMMENT, OPERATOR, internal_text, scan

__all__ = ["parse_path"]

_ATOM: Final = r"[A-Za-z0-9_=+/#$&'*?^`{|}~%!-]+"
_SIMPLE: Final = re.compile(rf"<({_ATOM}(?:\.{_ATOM})*(?:@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)?|)>\Z")
_ROUTE: Final = re.compile(r"\s*@(?:\[[^\]]*\]|[^\[\]:])*:")
_GROUPING: Final = frozenset(",;")


def parse_path(word: str, *, strict: bool) -> str | None:
    """Return the address of a path in internal form, "" for ``<>``, or None when there is not just one address.

    A source route is dropped.  With *strict* (strict_rfc821_envelopes) there must be brackets with an
    address in them and nothing else; otherwise ``user@domain``, comments, display names and one-member
    groups are taken too.
    """
    simple = _SIMPLE.match(word)
    if simple is not None:
        return simple[1]
    text = word
    if text.startswith("<") and text.endswith(">") and not text.endswith("\\>"):
        text = text[1:-1]
    elif strict:
        return None
    if (route := _ROUTE.match(text)) is not None:
        text = text[route.end() :]
    addresses = AddressList(text).addresses
    if len(addresses) > 1 or (strict and not _only_address(text)):
        return None
    if not addresses:
        return ""
    address = internal_text(scan(addresses[0]))
    if strict and address.startswith("@"):
        return None
    return address


def _only_address(text: str) -> bool:
    """Say whether *text* is an address, in further brackets or not, without comment, name or group."""
    words_outside = False
    bracket_seen = False
    depth = 0
    for kind, token in scan(text):
        if kind == COMMENT:
            return False
        if kind == OPERATOR and token in _GROUPING:
            return False
        if kind == OPERATOR and token == "<":
            if words_outside:
                return False
            bracket_seen = True
            depth += 1
        elif kind == OPERATOR and token == ">":
            depth -= 1
        elif depth <= 0:
            if bracket_seen:
                return False
            words_outside = True
    return True
