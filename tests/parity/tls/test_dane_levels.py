"""Levels dane and dane-only: what is made of answers that the resolver vouches for, and of those that it does not.

Source: RFC 7672; TLS_README "DANE TLS authentication"; postconf(5) smtp_tls_dane_insecure_mx_policy, smtp_dns_support_level.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from tests.kit.dnsdouble import rcode
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.tls import World
from tests.kit.tlspeer import Manner, Server

pytestmark = [pytest.mark.reference, pytest.mark.root]

ADDRESS = "127.0.0.3"
DIGEST = "ab" * 32
DOMAINS: dict[str, tuple[bool, bool, str]] = {
    "plain": (False, False, ""), "mxonly": (True, False, ""), "hostonly": (False, True, "absent"), "absent": (True, True, "absent"),
    "nodata": (True, True, "nodata"), "unproven": (True, True, "insecure"), "broken": (True, True, "SERVFAIL"), "refused": (True, True, "REFUSED"),
    "pkix": (True, True, "1 1 1 " + DIGEST), "insecuremx": (False, True, "1 1 1 " + DIGEST),
}  # fmt: skip
"""Whether the answers for MX and A are vouched for, and what there is of TLSA."""
OTHERS = f"""
bare A {ADDRESS}
_PORT._tcp.bare TLSA 1 1 1 {DIGEST}
trusted A {ADDRESS}
_PORT._tcp.trusted TLSA 1 1 1 {DIGEST}
alias MX 10 mx.alias
mx.alias CNAME host.alias
host.alias A {ADDRESS}
_PORT._tcp.host.alias TLSA 1 1 1 {DIGEST}
named MX 10 mx.named
mx.named CNAME host.named
host.named A {ADDRESS}
_PORT._tcp.mx.named TLSA 0 1 1 {DIGEST}
half MX 10 mx.half
mx.half CNAME host.half
host.half A {ADDRESS}
_PORT._tcp.mx.half TLSA 1 0 2 {DIGEST}{DIGEST}
_PORT._tcp.host.half TLSA 1 1 1 {DIGEST}
"""
"""Domains without MX records, and hosts that are aliases."""
VOUCHED = ("trusted", "alias", "mx.alias", "named", "mx.named", "half", "mx.half/CNAME", *(f"_PORT._tcp.{name}" for name in ("bare", "trusted", "host.alias", "mx.named", "mx.half", "host.half")))
NAMES = [*DOMAINS, *(line.split()[0] for line in OTHERS.split("\n") if line and "." not in line.split()[0])]


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server((ADDRESS, 0), backlog=50) as made:
        yield made


@pytest.fixture(scope="module")
def server(world: World, listener: socket.socket) -> Server:
    """The server of all domains, for all cases."""
    return Server(world, Manner(), listener, sessions=1000)


@pytest.fixture(scope="module")
def dns(listener: socket.socket) -> Iterator[DnsWorld]:
    port = listener.getsockname()[1]
    with DnsWorld({}) as made:
        front = made.front
        for name, (mx, host, tlsa) in DOMAINS.items():
            names = (f"{name}.dane.example", f"mx.{name}.dane.example", f"_{port}._tcp.mx.{name}.dane.example")
            front.add(f"{names[0]} MX 10 {names[1]}.")
            front.add(f"{names[1]} A {ADDRESS}")
            match tlsa:
                case "" | "absent":
                    pass
                case "nodata":
                    front.add(f"{names[2]} TXT x")
                case "insecure":
                    front.add(f"{names[2]} TLSA 1 1 1 {DIGEST}")
                case "SERVFAIL" | "REFUSED":
                    front.scripts[names[2]] = rcode(tlsa)
                case record:
                    front.add(f"{names[2]} TLSA {record}")
            front.validated |= {n for n, yes in zip(names, (mx, host, tlsa not in ("", "insecure")), strict=True) if yes}
        for line in OTHERS.replace("PORT", str(port)).splitlines():
            if line:
                name, kind, data = line.split(None, 2)
                front.add(f"{name}.dane.example {kind} {data}{'.dane.example.' if kind in ('MX', 'CNAME') else ''}")
        for name in VOUCHED:
            host, slash, kind = name.replace("PORT", str(port)).partition("/")
            front.validated.add(f"{host}.dane.example{slash}{kind}")
        yield made


def _lines(mta: Instance) -> list[str]:
    shown = []
    for line in mta.log_lines():
        found = re.search(r"postfix/smtp\[\d+\]: (?:[0-9A-F]{6,}: )?(.*)", line)
        if found:
            shown.append(re.sub(r"delays?=[\d./]+, ", "", found[1]))
    return shown


@pytest.mark.parametrize(
    ("level", "policy", "forced", "probed"),
    [("dane", "dane", "no", False), ("dane", "may", "no", True), ("dane", "encrypt", "yes", True), ("dane-only", "dane", "no", False), ("dane-only", "may", "yes", True)],
)
def test_levels(parity: Parity, server: Server, dns: DnsWorld, listener: socket.socket, level: str, policy: str, forced: str, *, probed: bool) -> None:
    port = listener.getsockname()[1]
    dns.front.add(". NS ns.invalid.")
    dns.front.validated = dns.front.validated - {"", "."} | ({"", "."} if probed else set())

    def case(mta: Instance) -> str:
        said = len(server.said)
        for name in NAMES:
            mta.send_message(f"user@{name}.dane.example", "Subject: x\n", sender="")
            mta.wait_for_log(rf"smtp\[.*to=<user@{name}\.dane\.example>")
        return "\n".join([*_lines(mta), *server.said[said:]])

    main = {
        "smtp_tls_security_level": level, "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns", "smtp_tls_dane_insecure_mx_policy": policy, "smtp_tls_force_insecure_host_tlsa_lookup": forced, "smtp_tls_loglevel": "1",
        "smtp_tcp_port": str(port), "smtp_connection_cache_on_demand": "no", "relay_domains": "", "default_process_limit": "1", "append_dot_mydomain": "no",
    }  # fmt: skip
    parity(case, main=main, mounts=dns.mounts)


def test_policies_that_are_none(parity: Parity, dns: DnsWorld) -> None:
    """smtp ends, and says why."""
    for value in ("DANE", "nonsense", "dane-only", ""):
        main = {"smtp_tls_security_level": "dane", "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns", "smtp_tls_dane_insecure_mx_policy": value}

        def case(mta: Instance) -> str:
            mta.send_message("a@none.dane.example", sender="")
            return mta.wait_for_log(r"(fatal: .*|status=\w+)").group(1)

        parity(case, main=main, mounts=dns.mounts)
