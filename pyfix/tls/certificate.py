"""Names, fingerprints and keys of certificates.

Source: postconf(5) smtpd_tls_fingerprint_digest; TLS_README.
"""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from pyfix.tls.facts import PeerCertificate

__all__ = [
    "DigestUnknown", "check_digest", "common_name", "fingerprint", "key_fingerprint", "one_line", "peer_certificate",
    "signature_kind",
]  # fmt: skip

_SHORT = {
    NameOID.COMMON_NAME: "CN", NameOID.COUNTRY_NAME: "C", NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.ORGANIZATION_NAME: "O", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU", NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.DOMAIN_COMPONENT: "DC", NameOID.SERIAL_NUMBER: "serialNumber", NameOID.SURNAME: "SN",
    NameOID.GIVEN_NAME: "GN",
    NameOID.TITLE: "title", NameOID.USER_ID: "UID", NameOID.STREET_ADDRESS: "street", NameOID.POSTAL_CODE: "postalCode",
    NameOID.DN_QUALIFIER: "dnQualifier", NameOID.GENERATION_QUALIFIER: "generationQualifier",
    NameOID.PSEUDONYM: "pseudonym",
    NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier",
}  # fmt: skip
"""OpenSSL's short names."""
_CURVES = {"secp256r1": "prime256v1"}
"""Curves that OpenSSL calls otherwise than the cryptography library."""


class DigestUnknown(ValueError):
    """The library has no digest of that name."""


def check_digest(name: str) -> str:
    """Return the name as hashlib knows it.  Raises DigestUnknown."""
    try:
        if hashlib.new(name.lower()).digest_size:
            return name.lower()
    except ValueError:
        pass
    raise DigestUnknown(name)


def _digest(content: bytes, algorithm: str) -> str:
    return hashlib.new(algorithm, content).digest().hex(":").upper()


def fingerprint(certificate: x509.Certificate, algorithm: str) -> str:
    """Return the digest of the whole certificate, ``AB:CD:...``."""
    return _digest(certificate.public_bytes(Encoding.DER), algorithm)


def key_fingerprint(certificate: x509.Certificate, algorithm: str) -> str:
    """Return the digest of its public key, ``AB:CD:...``."""
    return _digest(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), algorithm)


def one_line(name: x509.Name) -> str:
    """Return a name as OpenSSL prints it on one line: ``/O=Org/CN=client.example``."""
    parts = []
    for attribute in name:
        short = _SHORT.get(attribute.oid, attribute.oid.dotted_string)
        value = attribute.value
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")
        shown = "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02X}" for byte in value)
        parts.append(f"/{short}={shown}")
    return "".join(parts)


def common_name(name: x509.Name) -> str:
    """Return the CN, the first of several; empty when there is none, or one that must not be shown."""
    return _attribute(name, NameOID.COMMON_NAME)


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    if not found or not isinstance(found[0].value, str):
        return ""
    text = found[0].value
    return text if text.isprintable() else ""


def peer_certificate(certificate: x509.Certificate, algorithm: str) -> PeerCertificate:
    """Return what the log, headers and restrictions want to know of a certificate."""
    issuer = certificate.issuer
    return PeerCertificate(
        common_name=common_name(certificate.subject),
        issuer_name=common_name(issuer) or _attribute(issuer, NameOID.ORGANIZATION_NAME),
        subject=one_line(certificate.subject),
        issuer=one_line(issuer),
        fingerprint=fingerprint(certificate, algorithm),
        key_fingerprint=key_fingerprint(certificate, algorithm),
    )


def signature_kind(certificate: x509.Certificate) -> str:
    """Return the kind of the key that signs in TLS 1.3 as the log has it: ``RSA-PSS (2048 bits)``."""
    key = certificate.public_key()
    match key:
        case rsa.RSAPublicKey():
            return f"RSA-PSS ({key.key_size} bits)"
        case ec.EllipticCurvePublicKey():
            return f"ECDSA ({_CURVES.get(key.curve.name, key.curve.name)})"
        case dsa.DSAPublicKey():
            return f"DSA ({key.key_size} bits)"
        case ed25519.Ed25519PublicKey():
            return "ED25519"
        case ed448.Ed448PublicKey():
            return "ED448"
    return ""
