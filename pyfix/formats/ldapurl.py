"""LDAP URLs: where a search goes, what it asks for, and what is wrong with one.

Source: RFC 4516, ldap_url_parse(3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_URL: Final = re.compile(r"(<?)(?:URL:)?(ldaps?|ldapi)://(.*)", re.IGNORECASE | re.DOTALL)
_SCOPES: Final = {
    "base": 0, "one": 1, "onelevel": 1, "sub": 2, "subtree": 2, "subord": 3, "subordinate": 3, "children": 3,
}  # fmt: skip
_BAD_SCHEME: Final = 3
_BAD_ENCLOSURE: Final = 4
_BAD_URL: Final = 5
_BAD_SCOPE: Final = 8
_BAD_FILTER: Final = 9
_BAD_EXTENSIONS: Final = 10


class LdapUrlError(ValueError):
    """A text is no LDAP URL; ``code`` is the number that the C library has for what is wrong."""

    def __init__(self, code: int) -> None:
        super().__init__(f"malformed LDAP URL: {code}")
        self.code: Final = code


@dataclass(frozen=True)
class LdapUrl:
    """The parts of an LDAP URL."""

    scheme: str
    """In lower case."""
    dn: str
    attributes: tuple[str, ...]
    """None means all."""
    scope: int
    """0 base, 1 one level, 2 the whole tree below, 3 that without its base."""
    filter: str
    """Empty when the URL has none."""


def is_ldap_url(text: str) -> bool:
    """Say whether *text* begins as an LDAP URL does, whether or not the rest of it is one."""
    return bool(_URL.match(text))


def parse_ldap_url(text: str) -> LdapUrl:
    """Take an LDAP URL apart.  Raises LdapUrlError."""
    match = _URL.fullmatch(text)
    if match is None:
        raise LdapUrlError(_BAD_SCHEME)
    enclosed, scheme, rest = match.groups()
    if enclosed:
        if not rest.endswith(">"):
            raise LdapUrlError(_BAD_ENCLOSURE)
        rest = rest[:-1]
    server, slash, rest = rest.partition("/")
    if not slash:
        server = server.partition("?")[0]
    _check_server(unquote(server), scheme.lower())
    dn, *parts = rest.split("?")
    attributes, scope, search, extensions = (*parts, "", "", "", "")[:4]
    if scope and scope.lower() not in _SCOPES:
        raise LdapUrlError(_BAD_SCOPE)
    if search and not unquote(search).strip():
        raise LdapUrlError(_BAD_FILTER)
    if len(parts) > 4:
        raise LdapUrlError(_BAD_URL)
    if len(parts) == 4 and not extensions:
        raise LdapUrlError(_BAD_EXTENSIONS)
    return LdapUrl(
        scheme.lower(),
        unquote(dn),
        tuple(unquote(word) for word in attributes.split(",") if word),
        _SCOPES[scope.lower()] if scope else 0,
        unquote(search),
    )


def _check_server(server: str, scheme: str) -> None:
    if scheme == "ldapi":
        return
    if server.startswith("["):
        _, closed, server = server.partition("]")
        if not closed:
            raise LdapUrlError(_BAD_URL)
    _, colon, port = server.rpartition(":")
    if colon and not re.fullmatch(r"\s*[-+]?\d+", port):
        raise LdapUrlError(_BAD_URL)
