"""Where mail for a domain goes: MX records, addresses, failures of the DNS, null MX, SRV, loops, limits.

Source: RFC 5321 section 5, RFC 7505, RFC 2782; postconf(5) smtp_mx_address_limit, smtp_mx_session_limit, and others.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.dnsdouble import garbage, rcode, silence
from tests.kit.dnsworld import DnsWorld
from tests.kit.parity import Parity
from tests.kit.peer import Answer, Lost, Peer, Stall
from tests.parity.smtp.handing import Hand

pytestmark = [pytest.mark.reference, pytest.mark.root]

ZONE = """
h1 A 127.2.0.1
h2 A 127.2.0.2
h3 A 127.2.0.3
h4 A 127.2.0.4
h5 A 127.2.0.5
h6 A 127.2.0.6
h7 A 127.2.0.7
both A 127.2.0.8
both AAAA ::1
six AAAA ::1
many6 AAAA 2001:db8::1
many6 AAAA 2001:db8::2
many6 AAAA 2001:db8::3
many6 AAAA 2001:db8::4
many6 AAAA 2001:db8::5
many6 AAAA 2001:db8::6
us A 127.0.0.1
alias CNAME h3
text TXT hello
two MX 10 h1
two MX 20 h2
one MX 10 h1
bare A 127.2.0.9
null MX 0 .
nohost MX 10 missing
somehost MX 10 missing
somehost MX 20 h2
noaddress MX 10 text
toalias MX 10 alias
isalias CNAME two
onlytext TXT hello
mixed MX 10 both
onlysix MX 10 six
numeric MX 10 127.0.0.1.
servhost MX 10 servfail
servthen MX 10 servfail
servthen MX 20 h1
servand MX 10 servfail
servand MX 20 missing
seven MX 1 h1
seven MX 2 h2
seven MX 3 h3
seven MX 4 h4
seven MX 5 h5
seven MX 6 h6
seven MX 7 h7
loops MX 10 us
backup MX 10 h1
backup MX 20 us
lost MX 10 missing
lost MX 20 us
same MX 10 us
same MX 10 h1
balance MX 10 many6
balance MX 20 h1
weighted MX 5 h2
weighted MX 5 h2
fallback A 127.2.0.10
deadmx MX 10 h1
_submission._tcp.srv SRV 10 0 {port} h1
_submission._tcp.srv SRV 20 0 {port} h2
_submission._tcp.nullsrv SRV 0 0 0 .
_submission._tcp.badsrv SRV 10 0 {port} missing
nosrv A 127.2.0.11
"""
SCRIPTS = {
    "servfail.dns.example": rcode("SERVFAIL"),
    "refused.dns.example": rcode("REFUSED"),
    "silent.dns.example": silence,
    "garbage.dns.example": garbage,
}


@pytest.fixture(scope="session")
def world(peer: Peer) -> Iterator[DnsWorld]:
    with DnsWorld({"dns.example": ZONE.replace("{port}", str(peer.port))}, SCRIPTS) as found:
        yield found


@pytest.fixture
def send(parity: Parity, peer: Peer, world: DnsWorld) -> Hand:
    """Hand a message over with the DNS."""
    main = {
        "smtp_dns_support_level": "enabled",
        "smtp_host_lookup": "dns",
        "smtp_tcp_port": str(peer.port),
        "smtp_randomize_addresses": "no",
        "transport_maps": "",
    }
    return Hand(parity, peer, main, {"mounts": world.mounts})


NAMES = (
    "two", "one", "bare", "null", "nohost", "somehost", "noaddress", "toalias", "isalias", "onlytext", "nothing",
    "mixed", "onlysix", "numeric", "servfail", "refused", "silent", "garbage", "servhost", "servthen", "servand", "h1",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_domains(send: Hand, name: str) -> None:
    send(None, [f"a@{name}.dns.example", f"b@{name}.dns.example"])


SERVERS: dict[str, dict[str, Answer | list[Answer]]] = {
    "first greets 421": {"greeting 127.2.0.1": "421 4.3.2 not now"},
    "first greets 554": {"greeting 127.2.0.1": "554 5.3.2 never"},
    "first is lost": {"greeting 127.2.0.1": Lost()},
    "first EHLO lost": {"EHLO mail.ours.example at 127.2.0.1": Lost()},
    "first HELO 550": {"EHLO mail.ours.example at 127.2.0.1": "500 what", "HELO": "550 5.7.1 never"},
    "first MAIL 450": {"MAIL": ["450 4.1.8 not now", "250 ok"]},
    "first MAIL 550": {"MAIL": ["550 5.1.8 never", "250 ok"]},
    "first RCPT mixed": {"RCPT": ["250 ok", "450 4.2.1 later", "550 5.1.1 unknown", "250 ok"]},
    "first RCPT all 450": {"RCPT": ["450 4.2.1 later", "450 4.2.1 later", "450 4.2.1 later", "250 ok"]},
    "both RCPT 450": {"RCPT": "450 4.2.1 later"},
    "first DATA 451": {"DATA": ["451 4.3.0 later", "354 go on"]},
    "first content 450": {".": ["450 4.3.0 later", "250 ok"]},
    "first content lost": {".": [Lost(), "250 ok"]},
    "first RCPT lost": {"RCPT": ["250 ok", Lost(), "250 ok"]},
    "second refuses the rest": {"RCPT": ["250 ok", "450 4.2.1 later", "450 4.2.1 later", "550 5.1.1 no", "250 ok"]},
    "all greet 421": {"greeting": "421 4.3.2 not now"},
    "all greet 554": {"greeting": "554 5.3.2 never"},
    "all are lost": {"greeting": Lost()},
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS)
def test_the_next_server(send: Hand, name: str) -> None:
    number = list(SERVERS).index(name)
    domain = f"two.dns.example:{send.peer.port}"
    files = {"transport": "".join(f"n{one}.example smtp:{domain},n{one}.invalid\n" for one in range(len(SERVERS)))}
    recipients = [f"{user}@n{number}.example" for user in ("a", "b", "c")]
    send(SERVERS[name], recipients, main={"transport_maps": "texthash:{dir}/etc/transport"}, files=files)


@pytest.mark.parametrize("name", SERVERS)
def test_the_last_server(send: Hand, name: str) -> None:
    """As before, without another destination behind."""
    number = list(SERVERS).index(name)
    lines = [f"m{one}.example smtp:two.dns.example:{send.peer.port}\n" for one in range(len(SERVERS))]
    recipients = [f"{user}@m{number}.example" for user in ("a", "b", "c")]
    main = {"transport_maps": "texthash:{dir}/etc/transport", "minimal_backoff_time": "1s", "queue_run_delay": "1000s"}
    send(SERVERS[name], recipients, main=main, files={"transport": "".join(lines)}, fresh=True)


LIMITS: dict[str, dict[str, Answer | list[Answer]]] = {
    "addresses": {"greeting": "421 4.3.2 not now"},
    "sessions": {"RCPT": "450 4.2.1 later"},
    "sessions after addresses": {"greeting": ["421 4.3.2 not now", "220 hi"], "MAIL": "450 4.1.8 later"},
}


@pytest.mark.parametrize("limits", [("5", "2"), ("0", "0"), ("2", "1"), ("3", "3")], ids="-".join)
@pytest.mark.parametrize("name", LIMITS)
def test_limits(send: Hand, name: str, limits: tuple[str, str]) -> None:
    main = {"smtp_mx_address_limit": limits[0], "smtp_mx_session_limit": limits[1]}
    number = list(LIMITS).index(name)
    lines = "".join(f"l{one}.example smtp:seven.dns.example,l{one}.invalid\n" for one in range(3))
    files = {"transport": lines}
    main["transport_maps"] = "texthash:{dir}/etc/transport"
    send(LIMITS[name], [f"a@l{number}.example", f"b@l{number}.example"], main=main, files=files)


def test_loops(send: Hand) -> None:
    """At port 25 our own addresses are not to be connected to."""
    main = {"smtp_tcp_port": "25", "inet_interfaces": "127.0.0.1"}
    for name in ("loops", "backup", "lost", "same", "us"):
        send(None, [f"a@{name}.dns.example"], main=main)


@pytest.mark.parametrize("transport", ["discard:x", "retry", "error:5.1.6 no longer here"])
def test_best_mx_transport(send: Hand, transport: str) -> None:
    """What would come back to us is for another agent."""
    main = {"smtp_tcp_port": "25", "inet_interfaces": "127.0.0.1", "best_mx_transport": transport, "ipc_timeout": "3s"}
    for name in ("loops", "same"):
        logs = ("smtp", "discard", "retry", "error", "bounce")
        send(None, [f"{user}@{name}.dns.example" for user in ("a", "b")], main=main, logs=logs)


def test_a_loop_at_another_port_is_none(send: Hand) -> None:
    send(None, ["a@loops.dns.example"])


@pytest.mark.parametrize("preferred", ["ipv6", "ipv4"])
def test_both_protocols(send: Hand, preferred: str) -> None:
    main = {"inet_protocols": "all", "smtp_address_preference": preferred}
    for name in ("mixed", "onlysix", "balance"):
        send(None, [f"a@{name}.dns.example"], main=main)


def test_unbalanced(send: Hand) -> None:
    main = {"inet_protocols": "all", "smtp_address_preference": "ipv6", "smtp_balance_inet_protocols": "no"}
    send(None, ["a@balance.dns.example"], main=main)


def test_services(send: Hand) -> None:
    names = ("srv", "nullsrv", "badsrv", "nosrv", "nothing", "servfail")
    files = {"transport": "".join(f"{name}.example smtp:{name}.dns.example:submission\n" for name in names)}
    main = {"transport_maps": "texthash:{dir}/etc/transport", "use_srv_lookup": "submission"}
    for name in names:
        send(None, [f"a@{name}.example"], main=main, files=files)


@pytest.mark.parametrize("main", [
    {"ignore_mx_lookup_error": "yes"}, {"smtp_defer_if_no_mx_address_found": "yes"}, {"smtp_host_lookup": "dns, native"},
    {"smtp_host_lookup": "native"}, {"smtp_dns_support_level": "disabled"},
], ids=lambda main: next(iter(main)))  # fmt: skip
def test_settings(send: Hand, main: dict[str, str]) -> None:
    for name in ("nohost", "servfail", "nothing", "bare", "two", "servhost", "onlytext"):
        send(None, [f"a@{name}.dns.example"], main=main)


@pytest.mark.parametrize("value", ["yes", "no"])
def test_names_of_aliases(send: Hand, value: str) -> None:
    """Which name the log has of a host that is an alias."""
    hops = {"listed": "toalias.dns.example", "domain": "isalias.dns.example", "host": f"[alias.dns.example]:{send.peer.port}"}
    files = {"transport": "".join(f"{name}.alias.example smtp:{hop}\n" for name, hop in hops.items())}
    main = {"transport_maps": "texthash:{dir}/etc/transport", "smtp_cname_overrides_servername": value}
    for name in hops:
        send(None, [f"a@{name}.alias.example"], main=main, files=files)


def test_next_hops(send: Hand) -> None:
    """Hosts in brackets, several destinations, and the fallback."""
    port = send.peer.port
    hops = {
        "host": f"[h1.dns.example]:{port}", "nohost": "[missing.dns.example]", "list": f"null.dns.example,[h2.dns.example]:{port}",
        "listed": f"two.dns.example:{port},one.dns.example", "literal": f"[127.2.0.3]:{port}", "hostalias": f"[alias.dns.example]:{port}",
    }  # fmt: skip
    files = {"transport": "".join(f"{name}.hops.example smtp:{hop}\n" for name, hop in hops.items())}
    main = {"transport_maps": "texthash:{dir}/etc/transport"}
    for name in hops:
        send(None, [f"a@{name}.hops.example"], main=main, files=files)


@pytest.mark.parametrize("name", ["null", "nothing", "loops", "silent"])
def test_the_fallback(send: Hand, name: str) -> None:
    send(None, [f"a@{name}.dns.example"], main={"smtp_fallback_relay": "[fallback.dns.example]"})


def test_a_fallback_that_is_none(send: Hand) -> None:
    send(None, ["a@nothing.dns.example"], main={"smtp_fallback_relay": "[missing.dns.example]"})


def test_a_relayhost_that_is_none(send: Hand) -> None:
    send(None, ["a@anything.example"], main={"relayhost": "[missing.dns.example]"})


@pytest.mark.parametrize("script", [{"RCPT": "450 4.2.1 later"}, {"greeting": Stall()}], ids=["later", "stall"])
def test_the_relayhost(send: Hand, script: dict[str, Answer]) -> None:
    send(script, ["a@anything.example"], main={"relayhost": "two.dns.example", "smtp_helo_timeout": "1s"})
