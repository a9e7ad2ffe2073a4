"""What is known of a session's encryption, and of the certificate at its other end."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PeerCertificate", "TlsFacts"]


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """The certificate that the peer has shown."""

    common_name: str
    """CN of its subject, UTF-8; empty when it has none that can be shown."""
    issuer_name: str
    """CN of its issuer, or else the issuer's organisation."""
    subject: str
    """The whole subject, ``/O=Org/CN=client.example``."""
    issuer: str
    """The whole issuer, likewise."""
    fingerprint: str
    """Digest of the certificate: ``AB:CD:...``."""
    key_fingerprint: str
    """Digest of its public key: ``AB:CD:...``."""


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The outcome of a handshake; restrictions, milters, policy services and authentication are told of it."""

    protocol: str
    """``TLSv1.3``."""
    cipher: str
    """``TLS_AES_256_GCM_SHA384``."""
    used_bits: int
    """Bits of the cipher's key that are used."""
    bits: int
    """Bits of the cipher's algorithm."""
    key_exchange: str = ""
    """The named group, ``x25519``; empty before TLS 1.3."""
    server_signature: str = ""
    """``RSA-PSS (2048 bits)``; empty before TLS 1.3, and where a session goes on."""
    server_digest: str = ""
    """``SHA256``; empty where the algorithm has none to choose."""
    client_signature: str = ""
    client_digest: str = ""
    certificate: PeerCertificate | None = None
    trusted: bool = False
    """The certificate comes from an authority that we trust."""
    matched: bool = False
    """It is the one that was wanted: a name or a fingerprint agrees."""
    secured: bool = True
    """Nobody can have said in the DNS that it is another than the one that was wanted."""
    unverifiable: bool = False
    """There was nothing that the library could have compared it with."""
    resumed: bool = False
    """An earlier session was resumed."""
    server_name: str = ""
    """The name that the client asked for (SNI), if the server has a certificate for it."""

    @property
    def level(self) -> str:
        """Return the first word of the log's line."""
        if self.matched and self.secured:
            return "Verified"
        if self.certificate is None:
            return "Anonymous"
        return "Trusted" if self.trusted else "Untrusted"

    def description(self) -> list[str]:
        """Return the encryption as it is described, in the parts that a header puts into lines of their own."""
        parts = [f"{self.protocol} with cipher {self.cipher} ({self.used_bits}/{self.bits} bits)"]
        server = f"key-exchange {self.key_exchange}" if self.key_exchange else ""
        if self.server_signature:
            server += f" server-signature {self.server_signature}"
            if self.server_digest:
                server += f" server-digest {self.server_digest}"
        if server:
            parts.append(server.lstrip())
        if self.client_signature:
            client = f"client-signature {self.client_signature}"
            if self.client_digest:
                client += f" client-digest {self.client_digest}"
            parts.append(client)
        return parts
