from __future__ import annotations

import subprocess

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from .dnsdouble import rcode, silence
from .dnsworld import DnsWorld
from .signedworld import Signed, SignedWorld

pytestmark = pytest.mark.root

ZONES = {
    ".": "a.example A 192.0.2.1\n a.example MX 10 b.example.\nc.example CNAME a.example.\nzone.example NS ns.zone.example.",
    "zone.example": "@ A 192.0.2.9\n@ NS ns.zone.example.\nlong TXT " + " ".join(['"' + "x" * 250 + '"'] * 10),
}
SCRIPTS = {"bad.example": rcode("SERVFAIL"), "silent.example": silence}


def test_zones_and_scripts() -> None:
    with DnsWorld(ZONES, SCRIPTS) as world:

        def ask(name: str, kind: str) -> tuple[str, int]:
            query = dns.message.make_query(name, kind)
            reply, _ = dns.query.udp_with_fallback(query, world.address, timeout=5)
            return dns.rcode.to_text(reply.rcode()), len(reply.answer)

        assert ask("a.example", "A") == ("NOERROR", 1)
        assert ask("c.example", "A") == ("NOERROR", 2)
        assert ask("zone.example", "A") == ("NOERROR", 1)
        assert ask("long.zone.example", "TXT") == ("NOERROR", 1)
        assert ask("nowhere.example", "A") == ("NXDOMAIN", 0)
        assert ask("bad.example", "A") == ("SERVFAIL", 0)
        assert ("a.example", "A") in world.front.asked
        command = "".join(f"mount --bind {ours} {place}; " for place, ours in world.mounts.items())
        command += "getent hosts a.example localhost silent.example"
        found = subprocess.run(["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, check=False)
        assert "192.0.2.1" in found.stdout and "localhost" in found.stdout and "silent" not in found.stdout


def test_signed_zones_and_a_validating_resolver() -> None:
    zones = {
        "good.example": Signed("@ A 192.0.2.1\ntwo A 192.0.2.2\n*.wild A 192.0.2.3"), "plain.example": Signed("@ A 192.0.2.4", delegated="unsigned"),
        "wrong.example": Signed("@ A 192.0.2.5", delegated="wrong"), "forged.example": Signed("@ A 192.0.2.6\n@ TXT x", forged="A"),
        "expired.example": Signed("@ A 192.0.2.7\n@ TXT x", expired="A"),
    }  # fmt: skip
    with SignedWorld(zones) as world:

        def ask(name: str, kind: str = "A") -> tuple[str, int, bool]:
            reply = dns.query.udp(dns.message.make_query(name, kind, want_dnssec=True), world.address, timeout=30)
            found = [rrset for rrset in reply.answer if rrset.rdtype != dns.rdatatype.RRSIG]
            return dns.rcode.to_text(reply.rcode()), len(found), bool(reply.flags & dns.flags.AD)

        failed = ("SERVFAIL", 0, False)
        assert [ask(name) for name in ("good.example", "two.good.example", "any.wild.good.example")] == [("NOERROR", 1, True)] * 3
        assert ask("none.good.example") == ("NXDOMAIN", 0, True)
        assert ask("plain.example") == ("NOERROR", 1, False)
        assert [ask(name) for name in ("wrong.example", "forged.example", "expired.example")] == [failed] * 3
        assert [ask(name, "TXT") for name in ("forged.example", "expired.example")] == [("NOERROR", 1, True)] * 2
