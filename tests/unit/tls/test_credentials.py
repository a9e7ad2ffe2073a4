from __future__ import annotations

from pathlib import Path

import pytest
from OpenSSL import SSL

from pyfix.runtime.libssl.names import TLS1_2_VERSION
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.tls import credentials
from pyfix.tls.certificate import common_name
from pyfix.tls.credentials import BadCredentials, CredentialFiles, load_credentials, load_pem, read_credentials
from tests.kit.tls import World

from .meeting import talk


def context() -> Context:
    return Context()


def shown(found: Context, *ciphers: str) -> list[str]:
    """Return the names of the certificate and its chain that a client with these ciphers sees."""
    asking = SSL.Context(SSL.TLS_METHOD)
    if ciphers:
        asking.set_max_proto_version(TLS1_2_VERSION)
        asking.set_cipher_list(":".join(ciphers).encode())
    ours, theirs = Connection(found), SSL.Connection(asking, None)
    ours.accepts()
    theirs.set_connect_state()
    assert talk(theirs, ours)
    chain = theirs.get_peer_cert_chain()
    assert chain is not None
    return [common_name(certificate.to_cryptography().subject) for certificate in chain]


def test_pairs_of_files(world: World) -> None:
    found = context()
    pair = (world.file("rsa.pem"), world.file("rsa.key"))
    load_credentials(found, CredentialFiles(rsa=pair, ec=(world.file("ec.chain"), world.file("ec.chain"))))
    assert shown(found, "ECDHE-RSA-AES128-GCM-SHA256") == ["rsa.example"]
    assert shown(found, "ECDHE-ECDSA-AES128-GCM-SHA256") == ["ec.example", "Test Authority"]


def test_each_key_has_its_chain(world: World, tmp_path: Path) -> None:
    (tmp_path / "more.pem").write_bytes(b"text before\n" + Path(world.file("ec.chain")).read_bytes() + b"text behind\n")
    found = context()
    load_credentials(found, CredentialFiles(chain_files=(world.file("self.chain"), str(tmp_path / "more.pem"))))
    assert shown(found, "ECDHE-RSA-AES128-GCM-SHA256") == ["self.example"]
    assert shown(found, "ECDHE-ECDSA-AES128-GCM-SHA256") == ["ec.example", "Test Authority"]


@pytest.mark.parametrize("jailed", [False, True])
def test_memory_alone_is_enough(world: World, monkeypatch: pytest.MonkeyPatch, jailed: bool) -> None:
    """Names of memory need /proc, which a jail has not."""
    if jailed:
        monkeypatch.setattr(credentials, "_DESCRIPTORS", "/nonexistent")
    found = context()
    load_pem(found, Path(world.file("ec.chain")).read_bytes(), "memory")
    assert shown(found) == ["ec.example", "Test Authority"]
    bad = Path(world.file("ec.key")).read_bytes() + Path(world.file("rsa.pem")).read_bytes()
    with pytest.raises(BadCredentials, match="key at index 1 in memory does not match next certificate"):
        load_pem(context(), bad, "memory")
    with pytest.raises(BadCredentials, match="error loading certificate"):
        load_pem(context(), bad.replace(b"MI", b"XX"), "memory")


def test_what_is_read_is_loaded_later(world: World) -> None:
    for files in (
        CredentialFiles(chain_files=(world.file("ec.key"), world.file("ec.pem"))),
        CredentialFiles(ec=(world.file("ec.pem"), world.file("ec.key"))),
        CredentialFiles(ec=(world.file("ec.chain"), world.file("ec.chain"))),
    ):
        found = context()
        for pem in read_credentials(files):
            load_pem(found, pem, "memory")
        assert shown(found)[0] == "ec.example"
    assert read_credentials(CredentialFiles(chain_files=("/nonexistent",))) == ()


@pytest.mark.parametrize(
    ("files", "first"),
    [
        (CredentialFiles(rsa=("/nonexistent", "{w}/rsa.key")), 'cannot get RSA certificate from file "/nonexistent": disabling TLS support'),
        (CredentialFiles(rsa=("{w}/rsa.pem", "/nonexistent")), 'cannot get RSA private key from file "/nonexistent": disabling TLS support'),
        (CredentialFiles(dsa=("{w}/rsa.pem", "{w}/ec.key")), "DSA private key in {w}/ec.key does not match public key in {w}/rsa.pem: disabling TLS support"),
        (CredentialFiles(rsa=("{w}/rsa.pem", "{w}/client.key")), "RSA private key in {w}/client.key does not match public key in {w}/rsa.pem: disabling TLS support"),
        (CredentialFiles(ec=("/nonexistent", "/nonexistent")), "error opening chain file: /nonexistent: No such file or directory"),
        (CredentialFiles(chain_files=("{w}/rsa.pem",)), "error loading chain from {w}/rsa.pem: key not first"),
        (CredentialFiles(chain_files=("{w}/rsa.key",)), "No certs for key at index 1 in {w}/rsa.key"),
        (CredentialFiles(chain_files=("{w}/rsa.key", "{w}/ec.key", "{w}/ec.pem")), "error loading certificate chain: key at index 1 in {w}/rsa.key not followed by a certificate"),
        (CredentialFiles(chain_files=("{w}/rsa.key", "{w}/ec.pem")), "key at index 1 in {w}/rsa.key does not match next certificate"),
        (CredentialFiles(chain_files=("{w}/rsa.key", "{w}/client.pem")), "key at index 1 in {w}/rsa.key does not match next certificate"),
        (CredentialFiles(chain_files=("/dev/null",)), "No PEM data in /dev/null"),
    ],
)  # fmt: skip
def test_what_is_wrong(world: World, files: CredentialFiles, first: str) -> None:
    def filled(text: str) -> str:
        return text.replace("{w}", str(world.folder))

    def pair(names: tuple[str, str]) -> tuple[str, str]:
        return filled(names[0]), filled(names[1])

    there = CredentialFiles(tuple(map(filled, files.chain_files)), pair(files.rsa), pair(files.dsa), pair(files.ec))
    with pytest.raises(BadCredentials) as caught:
        load_credentials(context(), there)
    assert caught.value.lines[0] == filled(first)


def test_missing_chain_is_told_of_only(lines: list[str]) -> None:
    load_credentials(context(), CredentialFiles(chain_files=("/nonexistent",)))
    assert lines == ["warning: error opening chain file: /nonexistent: No such file or directory"]


def test_pem_of_another_kind() -> None:
    with pytest.raises(BadCredentials, match="loading x: ignoring PEM type: NONSENSE"):
        load_pem(context(), b"-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n", "x")
    with pytest.raises(BadCredentials, match=r"error loading private key \(PEM object number 1\) from x|error loading certificate"):
        load_pem(context(), b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x")


def test_names() -> None:
    assert CredentialFiles().names == () and not CredentialFiles().has_old
    both = CredentialFiles(rsa=("a", "a"), ec=("b", "c"))
    assert both.names == ("a", "b", "c") and both.has_old
    assert CredentialFiles(("x",), rsa=("a", "b")).names == ("x",)
