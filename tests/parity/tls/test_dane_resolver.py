"""DANE by a real validating resolver: unbound before zones that the test has signed, well or badly.

What the levels make of each answer is in ``test_dane.py``; here the bits come from whom they come from in the field.
Source: RFC 7672; RFC 4035 section 5; TLS_README "DANE TLS authentication".
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.signedworld import Signed, SignedWorld
from tests.kit.tls import World
from tests.kit.tlspeer import Manner, Server

pytestmark = [pytest.mark.reference, pytest.mark.root]

ADDRESS = "127.0.0.3"
USUAL = f"@ MX 10 mx\nmx A {ADDRESS}\n_PORT._tcp.mx TLSA RIGHT\n"
BARE = f"@ MX 10 mx\nmx A {ADDRESS}\n"
ZONES = {
    "good": Signed(USUAL),
    "direct": Signed(f"@ A {ADDRESS}\n_PORT._tcp TLSA RIGHT\n"),
    "rollover": Signed(USUAL + "_PORT._tcp.mx TLSA ANOTHER\n"),
    "byalias": Signed(f"{BARE}_PORT._tcp.mx CNAME _dane\n_dane TLSA RIGHT\n"),
    "bywildcard": Signed(f"{BARE}*._tcp.mx TLSA RIGHT\n"),
    "hosted": Signed("@ MX 10 mx.good.example.\n"),
    "hostalias": Signed("@ MX 10 mx\nmx CNAME mx.good.example.\n"),
    "another": Signed(f"{BARE}_PORT._tcp.mx TLSA ANOTHER\n"),
    "unusable": Signed(f"{BARE}_PORT._tcp.mx TLSA UNUSABLE\n"),
    "unusablemx": Signed("@ MX 10 mx.unusable.example.\n", delegated="unsigned"),
    "nosuch": Signed(BARE),
    "nodata": Signed(f"{BARE}_PORT._tcp.mx TXT x\n"),
    "unsigned": Signed(USUAL, delegated="unsigned"),
    "unsignedmx": Signed("@ MX 10 mx.good.example.\n", delegated="unsigned"),
    "unsignedhost": Signed("@ MX 10 mx.unsigned.example.\n"),
    "wrongkey": Signed(USUAL, delegated="wrong"),
    **{f"forged{kind.lower()}": Signed(USUAL, forged=kind) for kind in ("TLSA", "A", "MX")},
    **{f"expired{kind.lower()}": Signed(USUAL, expired=kind) for kind in ("TLSA", "A", "MX")},
}  # fmt: skip
VERIFIED = ["good", "direct", "rollover", "byalias", "bywildcard", "hosted", "hostalias"]
"""Whose server is known by its record, whatever the level."""
DEFERRED = ["another", "wrongkey", "forgedtlsa", "forgeda", "forgedmx", "expiredtlsa", "expireda", "expiredmx"]
"""Who gets nothing: the record is another's, or the resolver refuses to answer."""


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server((ADDRESS, 0), backlog=50) as made:
        yield made


@pytest.fixture(scope="module")
def server(world: World, listener: socket.socket) -> Server:
    return Server(world, Manner(), listener, sessions=1000)


def _record(world: World, name: str) -> str:
    certificate = x509.load_pem_x509_certificate(Path(world.file(f"{name}.pem")).read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"3 1 1 {sha256(key).hexdigest()}"


@pytest.fixture(scope="module")
def dns(world: World, listener: socket.socket) -> Iterator[SignedWorld]:
    words = {"PORT": str(listener.getsockname()[1]), "RIGHT": _record(world, "rsa"), "ANOTHER": _record(world, "ec"), "UNUSABLE": "3 1 9 abcd"}
    zones = {}
    for name, zone in ZONES.items():
        records = zone.records
        for word, meaning in words.items():
            records = records.replace(word, meaning)
        zones[f"{name}.example"] = Signed(records, zone.delegated, zone.forged, zone.expired)
    with SignedWorld(zones) as made:
        yield made


@pytest.mark.parametrize("level", ["dane", "dane-only"])
def test_deliveries(parity: Parity, server: Server, dns: SignedWorld, listener: socket.socket, level: str) -> None:
    def case(mta: Instance) -> str:
        begin = len(server.said)
        found = []
        for name in ZONES:
            mark = mta.log_mark()
            mta.send_message(f"user@{name}.example", "Subject: x\n", sender="")
            mta.wait_for_log(rf"smtp\[.*to=<user@{name}\.example>", since=mark)
            lines = [match[1] for line in mta.log_lines(mark) if (match := re.search(r"postfix/smtp\[\d+\]: (?:[0-9A-F]{6,}: )?(.*)", line))]
            found += [f"{name}: {re.sub(r'delays?=[0-9./]+, ', '', line)}" for line in lines]
        with socket.create_connection((ADDRESS, listener.getsockname()[1]), 60) as last:
            last.recv(100)  # it serves one after the other
        return "\n".join([*found, *server.said[begin:]])

    main = {
        "smtp_tls_security_level": level, "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns", "smtp_tls_loglevel": "1", "default_process_limit": "1",
        "smtp_tcp_port": str(listener.getsockname()[1]), "smtp_connection_cache_on_demand": "no", "relay_domains": "", "append_dot_mydomain": "no",
    }  # fmt: skip
    result = parity(case, main=main, mounts=dns.mounts).result
    assert isinstance(result, str)
    sent = [name for name in ZONES if re.search(rf"^{name}: to=.*status=sent", result, re.M)]
    verified = [name for name in ZONES if re.search(rf"^{name}: Verified TLS connection", result, re.M)]
    assert verified == VERIFIED
    if level == "dane-only":
        assert set(sent) == set(VERIFIED), sent
    else:
        assert set(sent) == set(ZONES) - set(DEFERRED), sent
        assert "unsignedmx: Trusted TLS connection" in result and "tls=halfdane" in result
