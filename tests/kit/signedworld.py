"""Zones that are signed, and a real resolver that validates what they say: Debian's unbound before the nsd of ``DnsWorld``.

    with SignedWorld({"good.example": Signed("@ MX 10 mx\nmx A 127.0.0.3")}) as world:
        with Instance("reference", mounts=world.mounts) as mta: ...

The root is signed, and each zone lies right below it, whatever the number of its labels: what is between is the root's.
The resolver trusts the root's key.  Source: RFC 4033 to 4035; unbound.conf(5).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.DNSKEY
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from . import guardian, processes, requirements
from .dnsworld import SERVER_PORT, DnsWorld, zone_text
from .ports import ReservedPort

_DAY: Final = 86400
_CONFIGURATION: Final = """\
server:
  interface: {address}@53
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: "{folder}/unbound.log"
  val-log-level: 2
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor-signaling: no
  trust-anchor: ". DS {anchor}"
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: {server}@{port}
"""


@dataclass(frozen=True)
class Signed:
    """A zone, and what is wrong with its signatures."""

    records: str
    """Lines ``owner [ttl] type data``."""
    delegated: str = "signed"
    """What the root says of it: ``signed`` (with the key's DS record), ``unsigned`` (without), ``wrong`` (with another's)."""
    forged: str = ""
    """The signatures of records of this type are by another key than they say."""
    expired: str = ""
    """The signatures of records of this type ended yesterday."""


class SignedWorld:
    """The servers; ``address`` is the resolver's."""

    def __init__(self, zones: Mapping[str, Signed]) -> None:
        """*zones*: by name.  SOA and NS records are added, and in the root what delegates them."""
        requirements.need_root()
        if shutil.which("unbound") is None:
            requirements.missing("unbound is not there: apt-get install unbound")
        texts, delegations = {}, ""
        for name, zone in zones.items():
            texts[name], (anchor, others) = _signed(name, zone)
            delegations += f"{name}. NS ns.invalid.\n"
            if zone.delegated != "unsigned":
                delegations += f"{name}. DS {others if zone.delegated == 'wrong' else anchor}\n"
        texts["."], (anchor, _) = _signed(".", Signed(delegations))
        self._dns = DnsWorld(texts)
        self._number = ReservedPort()
        number = self._number.number
        self.address = f"127.53.{number >> 8}.{number & 255}"
        self.directory = Path(tempfile.mkdtemp(prefix="pyfix-unbound-"))
        self.directory.chmod(0o755)
        guardian.watch(self.directory)
        self._resolver: subprocess.Popen[bytes] | None = None
        try:
            self._start(list(zones), anchor)
        except BaseException:
            self.close()
            raise

    @property
    def mounts(self) -> dict[str, str]:
        """What mail systems see in the place of files of the machine: ``Instance(mounts=...)``."""
        return {**self._dns.mounts, "/etc/resolv.conf": str(self.directory / "resolv.conf")}

    def _start(self, zones: list[str], anchor: str) -> None:
        configuration = _CONFIGURATION.format(
            address=self.address, folder=self.directory, anchor=anchor, server=self._dns.address, port=SERVER_PORT
        )
        for name in zones:
            configuration += f'stub-zone:\n  name: "{name}"\n  stub-addr: {self._dns.address}@{SERVER_PORT}\n'
        (self.directory / "unbound.conf").write_text(configuration)
        (self.directory / "resolv.conf").write_text(f"nameserver {self.address}\noptions timeout:10 attempts:3\n")
        (self.directory / "resolv.conf").chmod(0o644)
        argv = ["unbound", "-d", "-c", str(self.directory / "unbound.conf")]
        self._resolver = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not processes.wait_until(lambda: self.validates("."), 20):
            log = self.directory / "unbound.log"
            raise AssertionError(f"unbound does not answer: {log.read_text() if log.exists() else 'and has no log'}")

    def validates(self, name: str, kind: str = "SOA") -> bool:
        """Tell whether the resolver has an answer that it vouches for."""
        query = dns.message.make_query(name, kind, want_dnssec=True)
        with suppress(OSError, dns.exception.DNSException):
            reply = dns.query.udp(query, self.address, timeout=0.5)  # what comes before it listens is lost
            return bool(reply.answer) and bool(reply.flags & dns.flags.AD)
        return False

    def close(self) -> None:
        """End the servers."""
        if self._resolver is not None:
            processes.end_child(self._resolver)
        shutil.rmtree(self.directory, ignore_errors=True)
        self._number.release()
        self._dns.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _key(zone: str) -> tuple[ec.EllipticCurvePrivateKey, dns.rdtypes.ANY.DNSKEY.DNSKEY, str]:
    """Return a new key, its record, and what is said of it one storey above."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)
    return private, public, dns.dnssec.make_ds(dns.name.from_text(zone), public, "SHA256").to_text()


def _signed(name: str, wanted: Signed) -> tuple[str, tuple[str, str]]:
    """Return the text of a zone with its signatures, and the DS records of its key and of one that has signed nothing."""
    private, public, anchor = _key(name)
    zone = dns.zone.from_text(zone_text(name, wanted.records), dns.name.from_text(name), relativize=False)
    begin = time.time() - 30 * _DAY  # clocks differ, and so that an end can lie in the past
    dns.dnssec.sign_zone(zone, keys=[(private, public)], inception=begin, lifetime=60 * _DAY)
    for owner, node in zone.nodes.items():
        for rdataset in list(node.rdatasets):
            kind = dns.rdatatype.to_text(rdataset.rdtype)
            if kind in (wanted.forged, wanted.expired):
                signer = ec.generate_private_key(ec.SECP256R1()) if kind == wanted.forged else private
                days = 29 if kind == wanted.expired else 60
                signature = dns.dnssec.sign((owner, rdataset), signer, dns.name.from_text(name), public, inception=begin, lifetime=days * _DAY)
                node.replace_rdataset(dns.rdataset.from_rdata(rdataset.ttl, signature))
    return zone.to_text(relativize=False), (anchor, _key(name)[2])
