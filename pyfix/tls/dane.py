"""Servers that prove who they are by records of a signed zone (DANE), as the library verifies it.

Source: RFC 6698, RFC 7671, RFC 7672; TLS_README "DANE TLS authentication"; SSL_CTX_dane_enable(3ssl).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pyfix.formats.dnsrecord import TlsaRecord
from pyfix.runtime.libssl.objects import Connection, Context, DaneMatch

__all__ = ["TlsaProof", "allow_dane", "proof_of", "require", "shown"]

_TRUST_ANCHOR: Final = 2
_END_ENTITY: Final = 3
_DIGESTS: Final = {"sha256": 1, "sha512": 2}
"""The number of a digest in a record."""
_SHOWN: Final = 64
"""Hexadecimal digits at each end of a record that the log shows."""


@dataclass(frozen=True, slots=True)
class TlsaProof:
    """What the certificate of a server must agree with."""

    base_domain: str
    """The name that the records are below, and that is asked for in SNI."""
    names: tuple[str, ...]
    """More names that a certificate below a trust anchor may have."""
    records: tuple[TlsaRecord, ...]


def proof_of(
    records: Iterable[TlsaRecord], *, base_domain: str, names: Sequence[str], warn: Callable[[str], None]
) -> TlsaProof | None:
    """Return what can be made of records; None when all of them are about something that is no matter of DANE.

    *warn* is told of those.
    """
    usable = []
    for record in records:
        if record.usage in (_TRUST_ANCHOR, _END_ENTITY):
            usable.append(record)
        else:
            warn(f"{record.name} unsupported TLSA certificate usage: {shown(record)}")
    return TlsaProof(base_domain, tuple(names), tuple(usable)) if usable else None


def shown(record: TlsaRecord | DaneMatch) -> str:
    """Return a record as the log has it."""
    text = record.association.hex().upper()
    if len(text) > 2 * _SHOWN:
        text = f"{text[:_SHOWN]}...{text[-_SHOWN:]}"
    return f"{record.usage} {record.selector} {record.matching} {text}"


def allow_dane(context: Context, digests: Iterable[str]) -> None:
    """Let sessions of *context* be verified so.  *digests*: tls_dane_digests, best first.  Raises TlsError."""
    context.enable_dane()
    wanted = [name for word in digests if (name := word.partition("=")[0].lower()) in _DIGESTS]
    for name, number in _DIGESTS.items():
        place = len(wanted) - wanted.index(name) if name in wanted else 0
        context.set_dane_digest(number, name if place else "", place)


def require(connection: Connection, proof: TlsaProof, warn: Callable[[str], None]) -> bool:
    """Let a session's server prove who it is; tell whether the library can use one of the records at least.

    *warn* is told of those that it can't use.
    """
    connection.enable_dane(proof.base_domain, proof.names)
    usable = False
    for record in proof.records:
        if connection.add_tlsa(record.usage, record.selector, record.matching, record.association):
            usable = True
        else:
            warn(f"unusable TLSA RR: {shown(record)}")
    return usable
