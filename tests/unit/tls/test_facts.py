from __future__ import annotations

from pyfix.tls.facts import PeerCertificate, TlsFacts

CERTIFICATE = PeerCertificate("c", "a", "/CN=c", "/CN=a", "AA", "BB")


def test_levels() -> None:
    plain = ("TLSv1.2", "X", 128, 256)
    assert TlsFacts(*plain).level == "Anonymous"
    assert TlsFacts(*plain, certificate=CERTIFICATE).level == "Untrusted"
    assert TlsFacts(*plain, certificate=CERTIFICATE, trusted=True).level == "Trusted"
    assert TlsFacts(*plain, certificate=CERTIFICATE, trusted=True, matched=True).level == "Verified"


def test_descriptions() -> None:
    assert TlsFacts("TLSv1.2", "X", 128, 256).description() == ["TLSv1.2 with cipher X (128/256 bits)"]
    full = TlsFacts(
        "TLSv1.3", "X", 256, 256, key_exchange="x25519", server_signature="RSA-PSS (2048 bits)", server_digest="SHA256",
        client_signature="ED25519",
    )  # fmt: skip
    assert full.description()[1:] == [
        "key-exchange x25519 server-signature RSA-PSS (2048 bits) server-digest SHA256", "client-signature ED25519",
    ]  # fmt: skip
    assert TlsFacts("TLSv1.3", "X", 1, 1, key_exchange="x25519").description()[1:] == ["key-exchange x25519"]
