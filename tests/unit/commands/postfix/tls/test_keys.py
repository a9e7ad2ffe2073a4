from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat

from pyfix.commands.postfix.tls import keys


@pytest.fixture(scope="module")
def key() -> keys.PrivateKey:
    return keys.new_key("ecdsa", "secp384r1")


def test_new_keys() -> None:
    made = keys.new_key("rsa", "1024")
    assert isinstance(made, rsa.RSAPrivateKey)
    assert made.key_size == 1024
    curve = keys.new_key("ecdsa", "prime256v1")
    assert isinstance(curve, ec.EllipticCurvePrivateKey)
    assert curve.curve.name == "secp256r1"


@pytest.mark.parametrize(("algorithm", "size"), [("rsa", "x"), ("rsa", "-1"), ("rsa", "100"), ("rsa", "9" * 30), ("ecdsa", "x")])
def test_sizes_that_are_none(algorithm: str, size: str) -> None:
    with pytest.raises(keys.KeyTrouble):
        keys.new_key(algorithm, size)


def test_reading(key: keys.PrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "key"
    certificate = keys.self_signed(key, ["a.example"])
    for content in (
        keys.key_text(key, new=True),
        keys.key_text(key, new=False),
        keys.key_text(key, new=False) + certificate,
        certificate + keys.key_text(key, new=True),
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, keys.NoEncryption()),
    ):
        path.write_bytes(content)
        assert keys.public_key_digest(keys.read_key(str(path))) == keys.public_key_digest(key)


def test_files_without_a_key(key: keys.PrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "key"
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    for content in (b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", encrypted):
        path.write_bytes(content)
        with pytest.raises(keys.KeyTrouble):
            keys.read_key(str(path))
        with pytest.raises(keys.KeyTrouble):
            keys.certificate_key_digest(str(path))
    for name in (str(tmp_path), "/nowhere"):
        with pytest.raises(keys.KeyTrouble):
            keys.read_key(name)


def test_curve_before_a_new_key(key: keys.PrivateKey) -> None:
    """The object identifier of secp384r1 is 1.3.132.0.34."""
    assert keys.key_text(key, new=True).startswith(
        b"-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\n"
    )
    assert keys.key_text(ed25519.Ed25519PrivateKey.generate(), new=True).startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_algorithms(key: keys.PrivateKey) -> None:
    assert keys.algorithm_of(key) == "ecdsa"
    assert keys.algorithm_of(ed25519.Ed25519PrivateKey.generate()) is None


def test_certificate(key: keys.PrivateKey, tmp_path: Path) -> None:
    text = keys.self_signed(key, ["a.example", "b.example"])
    made = x509.load_pem_x509_certificate(text)
    made.verify_directly_issued_by(made)
    assert made.subject.rfc4514_string() == "CN=a.example"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "b.example"]
    assert made.not_valid_after_utc - made.not_valid_before_utc == timedelta(days=36525)
    assert made.serial_number > 0
    path = tmp_path / "certificate"
    for content in (text, made.public_bytes(Encoding.DER)):
        path.write_bytes(content)
        assert keys.certificate_key_digest(str(path)) == keys.public_key_digest(key)


def test_request(key: keys.PrivateKey) -> None:
    made = x509.load_pem_x509_csr(keys.request(key, ["a.example"]))
    assert made.is_signature_valid
    assert not list(made.subject)
    keys.request(ed25519.Ed25519PrivateKey.generate(), ["a.example"])


def test_digest(key: keys.PrivateKey) -> None:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert keys.public_key_digest(key) == hashlib.sha256(public).hexdigest()


@pytest.mark.parametrize("host", ["a/b", "$x", "a\nb", "\xfc.example", "x" * 65])
def test_names_that_are_none(key: keys.PrivateKey, host: str) -> None:
    with pytest.raises(keys.KeyTrouble):
        keys.self_signed(key, [host])
