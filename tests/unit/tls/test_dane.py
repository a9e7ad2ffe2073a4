from __future__ import annotations

from hashlib import sha256, sha512
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pyfix.formats.dnsrecord import TlsaRecord
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.tls.credentials import load_pem
from pyfix.tls.dane import TlsaProof, allow_dane, proof_of, require, shown
from tests.kit.tls import World

from .meeting import talk

BOTH = ("sha512", "sha256")


def record(usage: int, selector: int, matching: int, data: bytes) -> TlsaRecord:
    return TlsaRecord("TLSA", "_25._tcp.mx.example", "_25._tcp.mx.example", 300, usage, selector, matching, data)


def key_of(world: World, name: str) -> bytes:
    certificate = x509.load_pem_x509_certificate(Path(world.file(f"{name}.pem")).read_bytes())
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_only_two_usages_are_a_matter_of_dane() -> None:
    told: list[str] = []
    records = [record(usage, 1, 1, bytes(32)) for usage in range(5)]
    proof = proof_of(records, base_domain="mx.example", names=["example"], warn=told.append)
    assert proof == TlsaProof("mx.example", ("example",), tuple(records[2:4]))
    assert [line.rpartition(":")[0] for line in told] == ["_25._tcp.mx.example unsupported TLSA certificate usage"] * 3
    assert proof_of(records[:2], base_domain="mx.example", names=[], warn=told.append) is None


def test_long_records_are_shown_in_part() -> None:
    assert shown(record(3, 1, 2, bytes(range(64)))) == f"3 1 2 {bytes(range(64)).hex().upper()}"
    assert shown(record(3, 1, 0, bytes(65))) == f"3 1 0 {'0' * 64}...{'0' * 64}"


@pytest.mark.parametrize(
    ("server", "records", "digests", "usable", "matches"),
    [
        ("rsa", [(3, 1, 1, "rsa")], BOTH, True, True),
        ("rsa", [(3, 1, 1, "ec")], BOTH, True, False),
        ("rsa", [(3, 1, 1, "ec"), (3, 1, 1, "rsa")], BOTH, True, True),
        ("rsa", [(3, 1, 2, "ec"), (3, 1, 1, "rsa")], BOTH, True, False),
        ("rsa", [(3, 1, 2, "ec"), (3, 1, 1, "rsa")], ("sha256", "sha512"), True, True),
        ("rsa", [(3, 1, 2, "rsa")], ("sha256",), False, False),
        ("rsa", [(3, 1, 9, "rsa")], BOTH, False, False),
        ("old", [(3, 1, 1, "old")], BOTH, True, True),
        ("rsa", [(2, 1, 0, "ca")], BOTH, True, False),
    ],
    ids=["good", "another's", "one of two", "the stronger counts", "the site's order", "not wanted", "unknown", "expired", "another name"],
)
def test_sessions(
    world: World, server: str, records: list[tuple[int, int, int, str]], digests: tuple[str, ...], usable: bool, matches: bool
) -> None:
    client, other = Context(), Context()
    allow_dane(client, digests)
    load_pem(other, Path(world.file(f"{server}.chain")).read_bytes(), "x")
    ours, theirs = Connection(client), Connection(other)
    ours.connects()
    theirs.accepts()
    makers = {1: lambda data: sha256(data).digest(), 2: lambda data: sha512(data).digest()}
    made = [record(*numbers, makers.get(numbers[2], bytes)(key_of(world, name))) for *numbers, name in records]  # type: ignore[call-arg]  # *numbers are the three that record() wants
    told: list[str] = []
    assert require(ours, TlsaProof("mx.example", (), tuple(made)), told.append) is usable
    assert bool(told) is not usable
    talk(ours, theirs)
    assert (ours.dane_match() is not None) is matches
