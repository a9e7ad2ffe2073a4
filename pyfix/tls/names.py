"""Whether a certificate is that of a server with a certain name.

Source: RFC 6125; TLS_README "Mandatory server certificate verification"; postconf(5) smtp_tls_verify_cert_match,
smtp_tls_secure_cert_match.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509

from pyfix.tls.certificate import common_name

__all__ = ["matched_name", "patterns"]


def patterns(words: Iterable[str], *, host: str, destination: str) -> tuple[str, ...]:
    """Return the names, or with a dot before them the parents of names, that strategies stand for.

    *host*: the server's name.  *destination*: the domain that mail is for.
    """
    found = []
    for word in words:
        match word.lower():
            case "hostname":
                found.append(host)
            case "nexthop":
                found.append(destination)
            case "dot-nexthop":
                found.append(f".{destination}")
            case other:
                found.append(other)
    return tuple(name for name in found if name and name != ".")


def matched_name(certificate: x509.Certificate, wanted: Iterable[str]) -> str:
    """Return the name of the certificate that agrees with one of the patterns, empty when none does.

    Where an address is among the patterns, the certificate must have it beside one of the names.  An asterisk stands
    for one label, as in Postfix 3.11 whatever tls_wildcard_matches_multiple_labels says.
    """
    names, addresses = _names(certificate)
    wanted_names: list[str] = []
    wanted_address = ""
    for pattern in wanted:
        try:
            address = ipaddress.ip_address(pattern)
        except ValueError:
            wanted_names.append(pattern)
            continue
        if address not in addresses:
            return ""
        wanted_address = pattern
    if not wanted_names:
        return wanted_address
    for pattern in wanted_names:
        for name in names:
            if _agrees(name.lower().rstrip("."), pattern.lower().rstrip(".")):
                return name
    return ""


def _names(certificate: x509.Certificate) -> tuple[list[str], list[ipaddress.IPv4Address | ipaddress.IPv6Address]]:
    """Return the names and addresses of a certificate; its CN counts where it has no other names."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        names: list[str] = []
        addresses = []
    else:
        names = found.get_values_for_type(x509.DNSName)
        addresses = [
            entry
            for entry in found.get_values_for_type(x509.IPAddress)
            if isinstance(entry, (ipaddress.IPv4Address, ipaddress.IPv6Address))
        ]
    if not names and (name := common_name(certificate.subject)):
        names = [name]
    return names, addresses


def _agrees(name: str, pattern: str) -> bool:
    if "\0" in name:
        return False
    if pattern.startswith("."):
        below = name.removeprefix("*.")
        return below.endswith(pattern)
    if not name.startswith("*."):
        return name == pattern
    parent = name[1:]
    if not pattern.endswith(parent) or pattern == parent:
        return False
    return "." not in pattern[: -len(parent)]
