"""Certificates that are expired or soon will be, that are not of this host, or that do not belong to their key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtensionOID, NameOID

from pyfix.commands.postfix.doctor.certificate_files import Pair, pairs, server_uses_tls
from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity

__all__ = ["check"]

_SOON: Final = timedelta(days=14)
"""Certificates that renew themselves do so earlier than that."""


def check(examination: Examination) -> Iterator[Finding]:
    """Load what the programs load."""
    server_has_one = False
    for pair in pairs(examination):
        server_has_one = server_has_one or pair.of_server
        yield from _check_pair(examination, pair)
    if not server_has_one:
        yield from _without_certificate(examination)


def _without_certificate(examination: Examination) -> Iterator[Finding]:
    for service, snapshot in examination.scopes("smtpd"):
        if server_uses_tls(snapshot) and not snapshot.value("tls_server_sni_maps"):
            if snapshot.value("smtpd_tls_cert_file") == "none":
                continue
            name = "smtpd_tls_security_level"
            yield Finding(
                Severity.WARNING,
                examination.place(name, service),
                f"TLS is on{f' in {service.title}' if service else ''}, and there is no certificate",
                "smtpd(8) logs a warning and offers no STARTTLS: mail and passwords come unencrypted.",
                (
                    "smtpd_tls_cert_file = /etc/ssl/certs/mail.pem",
                    "smtpd_tls_key_file = /etc/ssl/private/mail.key",
                ),
            )
            return


def _check_pair(examination: Examination, pair: Pair) -> Iterator[Finding]:
    place = examination.place(pair.certificate_parameter, pair.service, pair.certificate)
    named = f"{pair.certificate_parameter}: {pair.certificate}"
    try:
        with open(pair.certificate, "rb") as file:
            chain = x509.load_pem_x509_certificates(file.read())
    except OSError as error:
        yield _unusable(place, f"{named}: {error.strerror}", pair)
        return
    except ValueError:
        yield _unusable(place, f"{named} has no certificate that can be read", pair)
        return
    leaf = chain[0]
    yield from _check_key(examination, pair, leaf)
    yield from _check_time(examination, place, named, leaf)
    if pair.of_server:
        yield from _check_name(place, named, leaf, pair)
        if len(chain) == 1 and leaf.issuer != leaf.subject and not _is_authority(leaf):
            yield Finding(
                Severity.NOTE,
                place,
                f"{named} has no intermediate certificate",
                "Clients that verify it need the certificates between it and the authority that they know, unless that "
                "one has signed it itself. The file has the server's certificate first, then the others.",
            )


def _unusable(place: Place, what: str, pair: Pair) -> Finding:
    return Finding(
        Severity.ERROR,
        place,
        what,
        "smtpd(8) offers no TLS: mail and passwords come unencrypted, and clients that want TLS go away."
        if pair.of_server
        else "The client goes without its certificate, or defers mail where TLS is needed.",
    )


def _check_key(examination: Examination, pair: Pair, leaf: x509.Certificate) -> Iterator[Finding]:
    place = examination.place(pair.key_parameter, pair.service, pair.key)
    if not examination.is_set(pair.key_parameter, pair.service):
        place = examination.place(pair.certificate_parameter, pair.service, pair.certificate)
    try:
        with open(pair.key, "rb") as file:
            key = load_pem_private_key(file.read(), None)
    except OSError as error:
        yield _unusable(place, f"{pair.key_parameter}: {pair.key}: {error.strerror}", pair)
        return
    except (ValueError, TypeError) as error:
        reason = "it has a password, which nobody types" if isinstance(error, TypeError) else "no key that can be read"
        yield _unusable(place, f"{pair.key_parameter}: {pair.key}: {reason}", pair)
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        yield _unusable(place, f"the key in {pair.key} is not that of the certificate in {pair.certificate}", pair)


def _check_time(examination: Examination, place: Place, named: str, leaf: x509.Certificate) -> Iterator[Finding]:
    now = examination.host.now
    ends, begins = _moment(leaf, "not_valid_after"), _moment(leaf, "not_valid_before")
    if ends < now:
        yield Finding(
            Severity.ERROR,
            place,
            f"{named} expired on {ends:%Y-%m-%d}",
            "Mail programs warn their users or refuse to send, and servers that verify it do not deliver.",
        )
    elif ends < now + _SOON:
        days = (ends - now).days
        yield Finding(
            Severity.WARNING,
            place,
            f"{named} expires on {ends:%Y-%m-%d}, in {days} day{'' if days == 1 else 's'}",
            "What renews it has not done so in time; `postfix reload' lets all programs load the new one.",
        )
    if begins > now:
        yield Finding(Severity.ERROR, place, f"{named} is valid from {begins:%Y-%m-%d} on", "It is refused until then.")


def _moment(leaf: x509.Certificate, name: str) -> datetime:
    """Return an end of the validity; the attributes with a time zone came with cryptography 42."""
    moment: datetime | None = getattr(leaf, f"{name}_utc", None)
    if moment is None:
        moment = getattr(leaf, name).replace(tzinfo=UTC)
    return moment


def _check_name(place: Place, named: str, leaf: x509.Certificate, pair: Pair) -> Iterator[Finding]:
    host = pair.snapshot.value("myhostname").lower()
    names = _names(leaf)
    if any(_matches(name.lower(), host) for name in names):
        return
    self_signed = leaf.issuer == leaf.subject
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"
    yield Finding(
        Severity.NOTE if self_signed else Severity.WARNING,
        place,
        f"{named} is for {shown}, not for myhostname ({host})",
        "Servers that find this host by its MX record, and clients that are told to use this name, take it for "
        "somebody else's. Where they use another name that the certificate has, all is well.",
    )


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        alternative = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        names = (
            alternative.get_values_for_type(x509.DNSName)
            if isinstance(alternative, x509.SubjectAlternativeName)
            else []
        )
    except x509.ExtensionNotFound:
        names = []
    if names:
        return list(names)
    return [str(attribute.value) for attribute in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _matches(pattern: str, host: str) -> bool:
    """Say whether a name of a certificate is *host*; a star stands for one label.  Source: RFC 6125 section 6.4.3."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return pattern == host


def _is_authority(leaf: x509.Certificate) -> bool:
    try:
        value = leaf.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except x509.ExtensionNotFound:
        return False
    return isinstance(value, x509.BasicConstraints) and value.ca
