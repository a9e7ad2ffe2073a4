"""The levels dane and dane-only: what DNSSEC says of a destination, and what its servers must then be.

The name server of the test says whether it has validated what it says, as a resolver does.
Source: RFC 6698, RFC 7671, RFC 7672; TLS_README "DANE TLS authentication".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.kit.dnsdouble import rcode
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.tls import World
from tests.kit.tlspeer import Manner

from .deliveries import Case, deliver_all

pytestmark = [pytest.mark.reference, pytest.mark.root]


@dataclass(frozen=True)
class Zone:
    """What the DNS says of a destination."""

    tlsa: tuple[str, ...] = ()
    """Records of its server: ``3 1 1 rsa`` is about the key of that name, ``3 0 1 rsa`` about its certificate."""
    domain: bool = True
    """Its MX record is validated."""
    host: bool = True
    """The address of its server is validated."""
    records: bool = True
    """The TLSA records are validated."""
    server: str = ""
    """The server's name, if it is to be another one than each destination's own."""
    alias: str = ""
    """``secure`` or ``insecure``: the server's name is an alias, whose own record is validated or not."""
    broken: bool = False
    """The name server fails when it is asked for TLSA records."""
    direct: bool = False
    """The next hop is the server, without MX record."""


@dataclass(frozen=True)
class Tried:
    """One delivery."""

    label: str
    zone: Zone
    manner: Manner = field(default_factory=Manner)
    options: Mapping[str, str] = field(default_factory=dict)


UNSIGNED: Final = Zone(domain=False, host=False, records=False)
GOOD: Final = ("3 1 1 rsa",)
ONLY: Final = {"smtp_tls_security_level": "dane-only"}
LOUD: Final = {"smtp_tls_loglevel": "certmatch, summary"}
HALF: Final = Zone(GOOD, domain=False)
CHAIN: Final = Manner("rsa.full")

TRIED: Final = [
    Tried("nothing is signed", UNSIGNED),
    Tried("nothing is signed, records", Zone(GOOD, domain=False, host=False, records=False)),
    Tried("nothing is signed, no offer", UNSIGNED, Manner(offers=False)),
    Tried("nothing is signed, only dane", UNSIGNED, options=ONLY),
    Tried("nothing is signed, no MX", Zone(domain=False, host=False, records=False, direct=True)),
    Tried("nothing is signed, no MX, only dane", Zone(domain=False, host=False, records=False, direct=True), options=ONLY),
    Tried("nothing is signed, no probe", UNSIGNED, options={"dnssec_probe": ""}),
    Tried("no records", Zone()),
    Tried("no records, only dane", Zone(), options=ONLY),
    Tried("records are not signed", Zone(GOOD, records=False)),
    Tried("address is not signed", Zone(GOOD, host=False)),
    Tried("address is not signed, forced", Zone(GOOD, host=False), options={"smtp_tls_force_insecure_host_tlsa_lookup": "yes"}),
    Tried("address is not signed, only dane", Zone(GOOD, host=False), options=ONLY),
    *(Tried(f"good {text}", Zone((text,)), options=LOUD) for text in ("3 1 1 rsa", "3 0 1 rsa", "3 1 2 rsa", "3 0 2 rsa", "3 1 0 rsa", "3 0 0 rsa")),
    Tried("good, only dane", Zone(GOOD), options=ONLY),
    Tried("good, no MX", Zone(GOOD, direct=True)),
    Tried("good, quiet", Zone(GOOD), options={"smtp_tls_loglevel": "0"}),
    Tried("good, verbose", Zone(GOOD), options={"smtp_tls_loglevel": "1, peercert"}),
    Tried("good, expired", Zone(("3 1 1 old",)), Manner("old")),
    Tried("good, signed by itself", Zone(("3 1 1 self",)), Manner("self")),
    Tried("one of two", Zone(("3 1 1 ec", "3 1 1 rsa"))),
    Tried("another's", Zone(("3 1 1 ec",))),
    Tried("another's, untrusted logged", Zone(("3 1 1 ec",)), options={"smtp_tls_loglevel": "untrusted, summary"}),
    Tried("no offer", Zone(GOOD), Manner(offers=False)),
    Tried("refused", Zone(GOOD), Manner(answer="454 4.7.0 not now")),
    Tried("garbage", Zone(GOOD), Manner(then="garbage")),
    Tried("the stronger digest counts", Zone(("3 1 1 rsa", "3 1 2 ec"))),
    Tried("each kind has its own strongest", Zone(("3 1 2 ec", "3 0 1 rsa"))),
    Tried("authority", Zone(("2 0 1 ca",), server="rsa.example"), CHAIN, LOUD),
    Tried("authority's key", Zone(("2 1 1 ca",), server="rsa.example"), CHAIN, LOUD),
    Tried("authority itself in the record", Zone(("2 0 0 ca",), server="rsa.example"), Manner(), LOUD),
    Tried("authority of another name", Zone(("2 0 1 ca",)), CHAIN),
    Tried("authority that is not sent", Zone(("2 0 1 ca",), server="rsa.example")),
    Tried("authority, expired", Zone(("2 0 1 ca",), server="old.example"), Manner("old.full")),
    Tried("authority, or another's", Zone(("2 0 1 ca", "3 1 1 ec"), server="rsa.example"), CHAIN),
    *(Tried(f"unusable {text}", Zone((text,))) for text in ("1 1 1 rsa", "0 0 1 ca", "3 1 9 rsa", "3 7 1 rsa", "9 1 1 rsa")),
    Tried("unusable, no offer", Zone(("1 1 1 rsa",)), Manner(offers=False)),
    Tried("unusable, only dane", Zone(("1 1 1 rsa",)), options=ONLY),
    Tried("unknown digest, only dane", Zone(("3 1 9 rsa",)), options=ONLY),
    Tried("unknown digest, only dane, trusted otherwise", Zone(("3 1 9 rsa",), server="rsa.example"), CHAIN, ONLY | {"smtp_tls_CAfile": "{w}/ca.pem"}),
    Tried("unknown digest, MX not signed", Zone(("3 1 9 rsa",), domain=False)),
    Tried("one unusable, one good", Zone(("1 1 1 ec", "3 1 1 rsa"))),
    Tried("lookup fails", Zone(broken=True)),
    Tried("lookup fails, address is not signed", Zone(broken=True, host=False)),
    Tried("lookup fails, alias", Zone(broken=True, alias="secure")),
    Tried("alias, host not signed, lookup fails", Zone(broken=True, alias="secure", host=False)),
    Tried("another's, MX not signed, names differ", Zone(("2 0 1 ca",), domain=False), CHAIN),
    Tried("MX not signed", HALF),
    Tried("MX not signed, another's", Zone(("3 1 1 ec",), domain=False)),
    Tried("MX not signed, only dane", HALF, options=ONLY),
    Tried("MX not signed, may", HALF, options={"smtp_tls_dane_insecure_mx_policy": "may"}),
    Tried("MX not signed, encrypt", HALF, options={"smtp_tls_dane_insecure_mx_policy": "encrypt"}),
    Tried("MX not signed, no records", Zone(domain=False)),
    Tried("alias in a signed zone", Zone(GOOD, host=False, alias="secure")),
    Tried("alias in no signed zone", Zone(GOOD, host=False, alias="insecure")),
    Tried("alias, all is signed", Zone(GOOD, alias="secure")),
    Tried("MX errors ignored", Zone(GOOD), options={"ignore_mx_lookup_error": "yes"}),
    Tried("MX errors ignored, only dane", Zone(GOOD), options={"ignore_mx_lookup_error": "yes", **ONLY}),
    Tried("search list", Zone(GOOD), options={"smtp_dns_resolver_options": "res_dnsrch"}),
    Tried("digests", Zone(("3 1 2 rsa",)), options={"tls_dane_digests": "sha256"}),
    Tried("digests in another order", Zone(("3 1 1 rsa", "3 1 2 ec")), options={"tls_dane_digests": "sha256 sha512"}),
    Tried("by policy", Zone(GOOD), options={"smtp_tls_security_level": "may", "smtp_tls_policy_maps": "static:{dane-only protocols=TLSv1.2}"}),
    Tried("by policy, lowered", UNSIGNED, options={"smtp_tls_security_level": "may", "smtp_tls_policy_maps": "static:{dane protocols=TLSv1.2}"}),
    Tried("trust anchor", Zone(("2 0 1 ca",), server="rsa.example"), CHAIN, {"smtp_tls_security_level": "dane", "smtp_tls_servername": "other.example"}),
]  # fmt: skip
USUAL: Final = {"smtp_tls_security_level": "dane", "smtp_tls_loglevel": "1"}


@pytest.fixture(scope="module")
def dns() -> Iterator[DnsWorld]:
    with DnsWorld({}, options="timeout:10 attempts:3") as world:
        world.front.add(". NS ns.invalid.")
        yield world


def _association(text: str, world: World) -> str:
    usage, selector, matching, name = text.split()
    certificate = x509.load_pem_x509_certificate(Path(world.file(f"{name}.pem")).read_bytes())
    content = certificate.public_bytes(Encoding.DER)
    if selector == "1":
        content = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = {"1": sha256, "2": sha512}.get(matching)
    return f"{usage} {selector} {matching} {(digest(content).digest() if digest else content).hex()}"


def _lay_out(dns: DnsWorld, world: World, number: int, port: int, zone: Zone) -> str:
    """Tell the name server of a destination; return the next hop."""
    front = dns.front
    for text in [name for name in front.records if name.startswith(f"_{port}.")]:
        del front.records[text]
    server, domain = zone.server or f"m{number}.example", f"d{number}.example"
    names = {domain: zone.domain, server: zone.host}
    last = f"real.{server}" if zone.alias else server
    if domain not in front.records:
        front.add(f"{domain} MX 10 {server}.")
        if server not in front.records:
            front.add(f"{last} A 127.0.0.1")
            if zone.alias:
                front.add(f"{server} CNAME {last}.")
    below = f"_{port}._tcp.{server}"
    for text in zone.tlsa:
        front.add(f"{below} TLSA {_association(text, world)}")
    names[below] = zone.records
    if zone.broken:
        front.scripts[below] = rcode("SERVFAIL")
    if zone.alias == "secure" and not zone.host:
        names[f"{server}/CNAME"] = True
    front.validated |= {name for name, signed in names.items() if signed}
    return f"{server if zone.direct else domain}:{port}"


@pytest.mark.parametrize("part", range(2))
def test_deliveries(parity: Parity, world: World, dns: DnsWorld, part: int) -> None:
    for name in ("rsa", "old"):
        full = Path(world.file(f"{name}.pem")).read_bytes() + Path(world.file("ca.pem")).read_bytes()
        Path(world.file(f"{name}.full.pem")).write_bytes(full)
        Path(world.file(f"{name}.full.key")).write_bytes(Path(world.file(f"{name}.key")).read_bytes())
    chosen = TRIED[part::2]
    cases: list[Case] = []
    for number, tried in enumerate(chosen):
        options = USUAL | dict(tried.options) | {"smtp_tls_exclude_ciphers": f"NONE{number}"}
        words = " ".join(f"-o {{ {name} = {value.replace('{w}', str(world.folder))} }}" for name, value in options.items())
        cases.append((words, tried.manner))

    def case(mta: Instance) -> None:
        mta.stop()
        found = deliver_all(
            mta, world, cases, "smtp", lambda number, port: _lay_out(dns, world, part + 2 * number, port, chosen[number].zone)
        )
        for tried, lines in zip(chosen, found.values(), strict=True):
            mta.transcript += [f"{tried.label}: {line}" for line in lines]

    main = {
        "transport_maps": "texthash:{dir}/etc/transport", "smtpd_tls_security_level": "none", "notify_classes": "",
        "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns", "default_destination_recipient_limit": "1",
    }  # fmt: skip
    parity(case, main=main, files={"transport": ""}, mounts=dns.mounts, fresh=True)
