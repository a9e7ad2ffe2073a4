"""Certificates for servers of tests: an authority of their own, and keys that only the test's servers have."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificates:
    """Files: an authority's certificate, and a certificate by it with its key."""

    ca: Path
    certificate: Path
    key: Path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def make_certificates(folder: Path, names: Sequence[str], *, days: int = 2, stem: str = "server") -> Certificates:
    """Make a new authority in *folder*, and a certificate for *names*, host names and addresses, good for *days*.

    The key may be read by all: servers of tests run as another user.
    """
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    now = datetime.datetime.now(datetime.UTC)
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = _named(f"authority of {stem} {hashlib.sha256(str(folder).encode()).hexdigest()[:8]}")
    ca = (
        x509.CertificateBuilder(issuer, issuer, authority.public_key(), x509.random_serial_number(), now - 9 * _DAY, now + 9 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    certificate = (
        x509.CertificateBuilder(issuer, _named(names[0]), key.public_key(), x509.random_serial_number(), now - 9 * _DAY, now + days * _DAY)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    made = Certificates(folder / f"{stem}-ca.pem", folder / f"{stem}.pem", folder / f"{stem}.key")
    made.ca.write_bytes(ca.public_bytes(pem))
    made.certificate.write_bytes(certificate.public_bytes(pem))
    made.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    for path in (made.ca, made.certificate, made.key):
        path.chmod(0o644)
    return made
