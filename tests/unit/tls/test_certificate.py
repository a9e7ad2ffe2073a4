from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pyfix.tls.certificate import (
    DigestUnknown,
    check_digest,
    common_name,
    fingerprint,
    key_fingerprint,
    one_line,
    peer_certificate,
    signature_kind,
)
from tests.kit.tls import World


def read(world: World, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(world.file(f"{name}.pem")).read_bytes())


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True, timeout=30).stdout.strip()


@pytest.mark.parametrize("name", ["rsa", "ec", "ed", "self"])
def test_fingerprints_are_those_of_openssl(world: World, name: str) -> None:
    file = world.file(f"{name}.pem")
    certificate = read(world, name)
    assert fingerprint(certificate, "sha256") == openssl("x509", "-in", file, "-noout", "-fingerprint", "-sha256").partition("=")[2]
    assert fingerprint(certificate, "md5") == openssl("x509", "-in", file, "-noout", "-fingerprint", "-md5").partition("=")[2]
    key = subprocess.run(f"openssl x509 -in {file} -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -c",
                         shell=True, capture_output=True, text=True, check=True, timeout=30).stdout.split()[-1]  # fmt: skip
    assert key_fingerprint(certificate, "sha256") == key.upper()


def test_digests() -> None:
    assert check_digest("SHA256") == "sha256"
    for name in ("nonsense", "shake_128", ""):
        with pytest.raises(DigestUnknown):
            check_digest(name)


def test_names(world: World) -> None:
    found = peer_certificate(read(world, "client"), "sha256")
    assert (found.common_name, found.issuer_name) == ("client.example", "Test Authority")
    assert (found.subject, found.issuer) == ("/O=Testing/CN=client.example", "/O=Testing/CN=Test Authority")


def test_odd_names() -> None:
    def name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])

    assert common_name(name((NameOID.ORGANIZATION_NAME, "x"))) == ""
    assert common_name(name((NameOID.COMMON_NAME, "a\nb"))) == ""
    assert common_name(name((NameOID.COMMON_NAME, "first"), (NameOID.COMMON_NAME, "second"))) == "first"
    assert one_line(name((NameOID.COMMON_NAME, "ü"), (NameOID.COUNTRY_NAME, "DE"))) == "/CN=\\xC3\\xBC/C=DE"


def test_kinds(world: World) -> None:
    kinds = [signature_kind(read(world, name)) for name in ("rsa", "ec", "client2", "ed")]
    assert kinds == ["RSA-PSS (2048 bits)", "ECDSA (prime256v1)", "ECDSA (secp384r1)", "ED25519"]
