"""Keys, certificates, requests for them, and the digests that DANE publishes, by the cryptography library.

Source: RFC 5280 (certificates), RFC 2986 (requests), RFC 6698 (TLSA).
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = [
    "KeyTrouble", "PrivateKey", "algorithm_of", "certificate_key_digest", "key_text", "new_key", "public_key_digest",
    "read_key", "request", "self_signed",
]  # fmt: skip

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
_DAYS: Final = 36525
"""How long a self-signed certificate is valid: a hundred years, as nobody looks at its end."""
_CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    "secp256r1": ec.SECP256R1, "prime256v1": ec.SECP256R1, "P-256": ec.SECP256R1,
    "secp384r1": ec.SECP384R1, "P-384": ec.SECP384R1,
    "secp521r1": ec.SECP521R1, "P-521": ec.SECP521R1,
    "secp224r1": ec.SECP224R1, "P-224": ec.SECP224R1,
    "secp256k1": ec.SECP256K1,
    "brainpoolP256r1": ec.BrainpoolP256R1, "brainpoolP384r1": ec.BrainpoolP384R1,
    "brainpoolP512r1": ec.BrainpoolP512R1,
}  # fmt: skip
_ELLIPTIC_KEY: Final = bytes.fromhex("06072a8648ce3d0201")
"""The object identifier id-ecPublicKey.  Source: RFC 5480 section 2.1.1."""
_IMPOSSIBLE: Final = frozenset("/$\r\n\0")
"""What no host name has, and openssl(1) takes for syntax."""
_PURPOSES: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


class KeyTrouble(Exception):
    """A key or certificate can't be made or read; the text says why."""


def new_key(algorithm: str, size: str) -> PrivateKey:
    """Make a key; *size* is the bits of an RSA key, or the name of a curve.  Raises KeyTrouble."""
    try:
        if algorithm == "rsa":
            return rsa.generate_private_key(65537, int(size))
        return ec.generate_private_key(_CURVES[size]())
    except KeyError:
        raise KeyTrouble(f"unknown elliptic curve: {size}") from None
    except (ValueError, OverflowError, UnsupportedAlgorithm) as error:
        raise KeyTrouble(str(error)) from None


def read_key(path: str) -> PrivateKey:
    """Read a key, in PEM (the first one) or DER.  Raises KeyTrouble when there is none, or it needs a password."""
    content = _read(path)
    for load in (load_pem_private_key, load_der_private_key):
        try:
            key = load(_key_part(content), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, PrivateKey):
            return key
    raise KeyTrouble(f"no private key in {path}")


def _key_part(content: bytes) -> bytes:
    """Leave out what stands before the first PEM block of a key, such as its certificate."""
    begin = -1
    for line in content.splitlines(keepends=True):
        if line.startswith(b"-----BEGIN ") and b"PRIVATE KEY-----" in line:
            begin = content.index(line)
            break
    return content[begin:] if begin > 0 else content


def key_text(key: PrivateKey, *, new: bool) -> bytes:
    """Return a key in PEM, without encryption: smtpd(8) has nobody to ask for a password.

    The forms are those that openssl(1) writes, before a *new* elliptic key its curve.
    """
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return _curve_text(key) + text if new else text


def _curve_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the PEM block with the name of the curve: in DER, what follows the identifier of elliptic keys."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    at = public.index(_ELLIPTIC_KEY) + len(_ELLIPTIC_KEY)
    curve = public[at : at + 2 + public[at + 1]]
    return b"-----BEGIN EC PARAMETERS-----\n%s-----END EC PARAMETERS-----\n" % b2a_base64(curve)


def algorithm_of(key: PrivateKey) -> str | None:
    """Return ``rsa`` or ``ecdsa``, None for a key that neither parameter of main.cf is for."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "rsa"
    return "ecdsa" if isinstance(key, ec.EllipticCurvePrivateKey) else None


def public_key_digest(key: PrivateKey) -> str:
    """Return the digest of the public half as a TLSA record "3 1 1" has it: SHA2-256 of its SubjectPublicKeyInfo."""
    return sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def certificate_key_digest(path: str) -> str:
    """Return the same digest for the first certificate in a file, in PEM or DER.  Raises KeyTrouble."""
    content = _read(path)
    for load in (x509.load_pem_x509_certificate, x509.load_der_x509_certificate):
        try:
            key = load(content).public_key()
        except (ValueError, UnsupportedAlgorithm):
            continue
        return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    raise KeyTrouble(f"no certificate in {path}")


def self_signed(key: PrivateKey, hosts: Sequence[str]) -> bytes:
    """Return a certificate in PEM for all *hosts*, the first of which is its subject.  Raises KeyTrouble."""
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(int.from_bytes(os.urandom(20), "big") >> 1 or 1)
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        )
        for extension in _extensions(key, hosts):
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(key, _hash_for(key)).public_bytes(Encoding.PEM)
    except ValueError as error:
        raise KeyTrouble(str(error)) from None


def request(key: PrivateKey, hosts: Sequence[str]) -> bytes:
    """Return a request for a certificate in PEM; who signs it gives it a subject.  Raises KeyTrouble."""
    try:
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        for extension in _extensions(key, hosts):
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(key, _hash_for(key)).public_bytes(Encoding.PEM)
    except ValueError as error:
        raise KeyTrouble(str(error)) from None


def _extensions(key: PrivateKey, hosts: Sequence[str]) -> list[x509.ExtensionType]:
    """Return what a certificate and a request for one say alike.  Raises ValueError."""
    return [x509.SubjectKeyIdentifier.from_public_key(key.public_key()), _PURPOSES, _names(hosts)]


def _names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    """Return the names of a certificate.  Raises ValueError for what can't be one."""
    for host in hosts:
        if not _IMPOSSIBLE.isdisjoint(host):
            raise ValueError(f"not a host name: {host!r}")
    return x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])


def _hash_for(key: PrivateKey) -> hashes.SHA256 | None:
    """Return the hash to sign with; EdDSA has its own."""
    return None if algorithm_of(key) is None else hashes.SHA256()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise KeyTrouble(f"{path}: {error.strerror}") from None
