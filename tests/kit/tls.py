"""An SMTP client that speaks TLS, and the keys and certificates of a small world, for tests."""

from __future__ import annotations

import datetime
import io
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .smtp import CLOSED, Dialogue, Line

_DAY = datetime.timedelta(days=1)
FAILED = "<handshake failed>"


@dataclass(frozen=True)
class World:
    """A folder of files: ``ca.pem``; ``NAME.pem``, ``NAME.key`` and ``NAME.chain`` (key, certificate, authority) of

    rsa, ec, ed (servers), client (RSA), client2 (EC), self (signed by itself), old (expired).
    """

    folder: Path

    def file(self, name: str) -> str:
        """Return the path of one of the files."""
        return str(self.folder / name)


_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def make_world(folder: Path) -> World:
    """Make all of it."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    authority = rsa.generate_private_key(65537, 2048)
    issuer = _name("Test Authority", "Testing")
    ca = _sign(issuer, issuer, authority, authority, ca=True)
    _write(folder / "ca.pem", _pem(ca))
    keys: dict[str, _Key] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
        "client": rsa.generate_private_key(65537, 2048),
        "client2": ec.generate_private_key(ec.SECP384R1()),
        "self": rsa.generate_private_key(65537, 2048),
        "old": ec.generate_private_key(ec.SECP256R1()),
    }
    for name, key in keys.items():
        subject = _name(f"{name}.example", "Testing")
        alone = name == "self"
        certificate = _sign(
            subject, subject if alone else issuer, key, key if alone else authority, expired=name == "old", host=f"{name}.example"
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(folder / f"{name}.pem", _pem(certificate))
        _write(folder / f"{name}.key", secret)
        _write(folder / f"{name}.chain", secret + _pem(certificate) + (b"" if alone else _pem(ca)))
    return World(folder)


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _sign(
    subject: x509.Name, issuer: x509.Name, key: _Key, signer: _Key, *, ca: bool = False, expired: bool = False, host: str = ""
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    end = now - 2 * _DAY if expired else now + 9 * _DAY
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), now - 9 * _DAY, end
    ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if host:
        names = [x509.DNSName(host), x509.DNSName(f"*.wild.{host}")]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o644)


def client_context(
    *,
    certificate: tuple[str, str] | None = None,
    lowest: ssl.TLSVersion | None = None,
    highest: ssl.TLSVersion | None = None,
    ciphers: str = "",
    groups: str = "",
) -> ssl.SSLContext:
    """Return the context of a client that trusts everybody.  *groups* is the name of one curve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(f"{ciphers or 'DEFAULT'}:@SECLEVEL=0")
    if certificate is not None:
        context.load_cert_chain(*certificate)
    if highest is not None:
        context.maximum_version = highest
    if lowest is not None:
        context.minimum_version = lowest
    if groups:
        context.set_ecdh_curve(groups)
    return context


class TlsDialogue(Dialogue):
    """An SMTP connection that can go on with TLS, or begin with it."""

    def __init__(self, host: str, port: int, client: str, *, wrapped: ssl.SSLContext | None = None, name: str = "") -> None:
        """*wrapped*: begin with TLS.  *name*: the server name to ask for."""
        if wrapped is None:
            super().__init__(host, port, client)
            return
        import socket

        self.socket = socket.create_connection((host, port), 30, source_address=(client, 0))
        self._stream = self.socket.makefile("rb")
        self.greeting = self.secure(wrapped, name=name)
        if self.greeting != FAILED:
            self.greeting = f"{self.greeting}\n{self.reply()}"

    def secure(self, context: ssl.SSLContext, *, name: str = "", session: ssl.SSLSession | None = None) -> str:
        """Begin TLS; return its version and cipher, or FAILED."""
        self._stream.close()
        try:
            secured = context.wrap_socket(self.socket, server_hostname=name or None, session=session)
        except OSError:
            self.socket.close()
            self._stream = io.BufferedReader(io.BytesIO())
            return FAILED
        self.socket = secured
        self._stream = secured.makefile("rb")
        found = secured.cipher()
        assert found is not None
        certificate = secured.getpeercert(binary_form=True)
        owner = "" if certificate is None else x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
        return f"{secured.version()} {found[0]} {owner}"

    def say_all(self, lines: Sequence[Line]) -> list[str]:
        """Say lines until one is answered by the end of the connection; return the replies."""
        replies: list[str] = []
        for line in lines:
            try:
                replies += self.say(line)
            except OSError:
                replies.append(CLOSED)
            if replies[-1].endswith(CLOSED):
                break
        return replies
