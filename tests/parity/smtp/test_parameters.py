"""Each parameter that smtp(8) and lmtp(8) read, with a value that changes what they do: the same change on both sides.

Each is tried with both programs, by the name that it has for them, beside a service without it, where something must be
otherwise.  Left out are those of TLS and SASL, which have tests of their own.
Source: postconf(5); smtp(8), lmtp(8), CONFIGURATION PARAMETERS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pyfix.config.parameters.lmtp_client import LmtpClientSettings
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.parameters.smtp_transport import SmtpTransportSettings
from tests.kit.dnsdouble import Script, rcode
from tests.kit.dnsworld import HOSTS, DnsWorld
from tests.kit.instance import Instance
from tests.kit.parity import Observation, Parity
from tests.kit.peer import Drip, Peer
from tests.parity.smtp.fleet import Fleet, Voyage, addresses
from tests.parity.smtp.handing import PIPELINING

pytestmark = [pytest.mark.reference, pytest.mark.root]

MOST = 130
ROUNDS = 25
"""Messages in any order of two servers: that one is the first of all by chance is one case in 2 to the 24th."""
IN_ORDER = {"smtp_randomize_addresses": "no"}
DUAL = {"inet_protocols": "all", "smtp_address_preference": "ipv6", "smtp_randomize_addresses": "no"}
NOT_OURS = "ff02::77"
"""What no machine lets a TCP connection come from, whatever its addresses, routes and net.ipv6.ip_nonlocal_bind are."""
STARS = {"greeting": "220 ***************************** ****** 0 *", "EHLO": PIPELINING}
LONG = {"smtp_connection_cache_time_limit": "40s"}
KEPT = {"smtp_connection_cache_destinations": "static:all", **LONG}
XFORWARD = "250-peer.example\n250 XFORWARD NAME ADDR PROTO HELO SOURCE"
REPLIES = {"RCPT": ["550 5.1.1 changeme", "550 5.2.1 stays"]}
NESTED = (
    b"Subject: x\nX-Top: y\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: text/plain\nX-Part: z\n\n"
    b"body\n--foo\nContent-Type: message/rfc822\n\nSubject: inner\nX-Inner: a\n\nmore\n--foo--\n"
)
PROBED = {"RCPT": "250 ok", "DATA": "550 5.7.1 not by DATA"}


def one(name: str, value: str, beside: dict[str, str] | None = None, **voyage: Any) -> tuple[str, Voyage]:
    return name, replace(Voyage({**(beside or {}), name: value}), **voyage)


TABLE: list[tuple[str, Voyage]] = [
    one("smtp_address_preference", "ipv6", {"inet_protocols": "all", "smtp_randomize_addresses": "no"}, nexthop="dual{n}.dns.example"),
    one("smtp_address_verify_target", "data", script=PROBED, probe=True),
    one("smtp_always_send_ehlo", "no", script={"greeting": "220 peer.example"}),
    one("smtp_balance_inet_protocols", "no", DUAL, nexthop="many{n}.dns.example"),
    one("smtp_bind_address", "127.0.0.77"),
    one("smtp_bind_address6", NOT_OURS, DUAL, nexthop="dual{n}.dns.example"),
    one("smtp_bind_address_enforce", "yes", {"smtp_bind_address": "192.0.2.1"}),
    one("smtp_bind_address_enforce", "yes", {"smtp_bind_address6": NOT_OURS, **DUAL}, nexthop="dual{n}.dns.example"),
    one("smtp_body_checks", "regexp:{dir}/etc/checks", content=NESTED),
    one("smtp_header_checks", "regexp:{dir}/etc/checks", content=NESTED),
    one("smtp_mime_header_checks", "regexp:{dir}/etc/checks", content=NESTED),
    one("smtp_nested_header_checks", "regexp:{dir}/etc/checks", content=NESTED),
    one("smtp_connection_cache_destinations", "static:all", LONG, times=2),
    one("smtp_connection_cache_on_demand", "no", LONG, script={".": Drip("250 2.0.0 Got it", 0.1)}, times=4, hurry=True),
    one("smtp_connection_cache_time_limit", "40s", {"smtp_connection_cache_destinations": "static:all"}, times=2, pause=4.0),
    one("smtp_connection_reuse_count_limit", "1", KEPT, times=3),
    one("smtp_connection_reuse_time_limit", "1s", KEPT, times=3, pause=3.0),
    one("smtp_delivery_status_filter", "regexp:{dir}/etc/statuses", script=REPLIES, recipients=("a", "b")),
    one("smtp_discard_ehlo_keyword_address_maps", "static:{dsn,size}", script={"EHLO": PIPELINING}),
    one("smtp_discard_ehlo_keywords", "size, dsn", script={"EHLO": PIPELINING}),
    one("smtp_dns_reply_filter", "regexp:{dir}/etc/answers", IN_ORDER, nexthop="pair{n}.dns.example"),
    one("smtp_dns_reply_filter", "regexp:{dir}/etc/noanswers", IN_ORDER, nexthop="pair{n}.dns.example"),
    one("smtp_dns_reply_filter", "regexp:{dir}/etc/badanswers", IN_ORDER, nexthop="pair{n}.dns.example"),
    one("smtp_dns_reply_filter", "fail:x", IN_ORDER, nexthop="pair{n}.dns.example"),
    one("smtp_mx_address_limit", "1", IN_ORDER, script={"greeting first": "421 4.3.2 no"}, nexthop="pair{n}.dns.example"),
    one("smtp_mx_session_limit", "1", IN_ORDER, script={"RCPT first": "450 4.2.1 later"}, nexthop="pair{n}.dns.example"),
    one("smtp_dns_support_level", "disabled", nexthop="[native{n}.hosts.example]"),
    one("smtp_dns_resolver_options", "res_defnames", nexthop="[h{n}]"),
    one("smtp_dns_resolver_options", "res_dnsrch", nexthop="[h{n}.sub]"),
    one("smtp_fallback_relay", "[{second}]", nexthop="[h{n}.dns.example]:1"),
    one("smtp_generic_maps", "inline:{second@ours.example=generic@public.example}", content=b"From: second@ours.example\n\nx\n"),
    one("smtp_helo_name", "helo.example"),
    one("smtp_host_lookup", "native", nexthop="[native{n}.hosts.example]"),
    one("smtp_host_lookup", "dns, native", nexthop="[native{n}.hosts.example]"),
    one("smtp_line_length_limit", "78", content=b"Subject: x\n\nthis line is longer than the limit\n".replace(b"the", 50 * b"y")),
    one("smtp_never_send_ehlo", "yes"),
    one("smtp_pix_workaround_maps", "static:disable_esmtp", {"smtp_pix_workarounds": ""}, script=STARS),
    one("smtp_pix_workaround_threshold_time", "0s", {"smtp_pix_workaround_delay_time": "1s"}, script=STARS),
    one("smtp_pix_workarounds", "", script=STARS),
    one("smtp_quote_rfc821_envelope", "no", recipients=('"a b"',)),
    one("smtp_reply_filter", "regexp:{dir}/etc/replies", script=REPLIES, recipients=("a", "b")),
    one("smtp_send_xforward_command", "yes", script={"EHLO": XFORWARD}),
    one("smtp_skip_5xx_greeting", "no", script={"greeting": "554 5.3.2 never"}),
    one("smtp_tcp_port", "1", nexthop="[{first}]"),
    one("smtp_tcp_port", "25", nexthop="[us.dns.example]"),  # what loops with SMTP does not with LMTP
    one("lmtp_assume_final", "yes", rcpt="NOTIFY=SUCCESS"),
    # Without a prefix
    one("allow_srv_lookup_fallback", "yes", {"use_srv_lookup": "submission"}, nexthop="two{n}.dns.example:submission"),
    one("allow_srv_lookup_fallback", "yes", {"use_srv_lookup": "submission"}, nexthop="badsrv{n}.dns.example:submission"),
    one("ignore_srv_lookup_error", "yes", {"use_srv_lookup": "submission"}, nexthop="badsrv{n}.dns.example:submission"),
    one("use_srv_lookup", "submission", nexthop="srv{n}.dns.example:submission"),
    one("connection_cache_service_name", "nothing", KEPT, times=2, pause=1.0),
    one("best_mx_transport", "discard:x", {"smtp_tcp_port": "25"}, nexthop="us.dns.example"),  # for lmtp nothing loops
]  # fmt: skip
"""A parameter by its name for smtp(8), and a voyage on which it changes something."""

OF_MX: list[tuple[str, Voyage]] = [
    one("smtp_defer_if_no_mx_address_found", "yes", nexthop="gone{n}.dns.example"),
    one("smtp_dns_reply_filter", "regexp:{dir}/etc/answers", nexthop="two{n}.dns.example"),
    one("smtp_dns_reply_filter", "regexp:{dir}/etc/noanswers", nexthop="two{n}.dns.example"),
    one("smtp_dns_reply_filter", "regexp:{dir}/etc/badanswers", nexthop="two{n}.dns.example"),
    one("smtp_dns_reply_filter", "fail:x", nexthop="two{n}.dns.example"),
    one("smtp_dns_support_level", "disabled", nexthop="two{n}.dns.example"),
    one("smtp_fallback_relay", "gone{n}.dns.example, [{third}]", nexthop="null{n}.dns.example"),
    one("smtp_mx_address_limit", "1", script={"greeting first": "421 4.3.2 no"}, nexthop="two{n}.dns.example"),
    one("smtp_mx_session_limit", "1", script={"RCPT first": "450 4.2.1 later"}, nexthop="two{n}.dns.example"),
    one("ignore_mx_lookup_error", "yes", nexthop="badmx{n}.dns.example"),
]  # fmt: skip
"""The same for smtp(8) alone: lmtp(8) asks for no MX records."""

ONLY_SMTP = ("smtp_always_send_ehlo", "smtp_never_send_ehlo", "ignore_mx_lookup_error", "best_mx_transport")
ELSEWHERE = {
    "_timeout": "test_stalls.py", "smtp_data_xfer_timeout": "test_deadlines.py", "smtp_min_data_rate": "test_deadlines.py",
    "smtp_per_request_deadline": "test_deadlines.py", "smtp_per_record_deadline": "test_deadlines.py",
    "smtp_pix_workaround_delay_time": "test_settings.py", "smtp_skip_quit_response": "test_stalls.py",
    "smtp_randomize_addresses": "test_a_random_order", "fallback_relay": "test_old_name",
    "smtp_send_dummy_mail_auth": "tests/parity/sasl", "smtp_sender_dependent_authentication": "tests/parity/sasl",
    "smtp_cname_overrides_servername": "tests/parity/smtp/test_lookup.py", "cyrus_sasl_config_path": "tests/parity/sasl",
    "lmtp_defer_if_no_mx_address_found": "test_parameters.py",  # lmtp(8) asks for no MX records
    "tlsproxy_service_name": "tests/unit/config/test_readers.py",
}  # fmt: skip
"""Ends of names, and where these parameters are tried."""

FILES = {
    "checks": "/^X-Top/ REPLACE X-New: top\n/^X-Part/ REPLACE X-New: part\n/^X-Inner/ REPLACE X-New: inner\n/^body/ REPLACE changed\n",
    "statuses": "/5.1.1 (.*changeme.*)/ 4.1.1 filtered: $1\n",
    "replies": "/^550 5.1.1 changeme/ 450 4.7.7 changed\n",
    "answers": "/^two.* MX 10 h/ IGNORE\n/^pair.* A 127.3/ IGNORE\n",
    "noanswers": "/ MX / IGNORE\n/ A / IGNORE\n",
    "badanswers": "/ (MX|A) / SOMETHING\n",
}  # fmt: skip
_EHLO = {"smtp_helo": "lmtp_lhlo", "_ehlo_": "_lhlo_"}


def of_lmtp(name: str) -> str:
    """Return the name that a parameter of smtp(8) has for lmtp(8)."""
    for old, new in _EHLO.items():
        name = name.replace(old, new)
    return f"lmtp_{name.removeprefix('smtp_')}" if name.startswith("smtp_") else name


def pairs() -> Iterator[tuple[str, str, Voyage, Voyage]]:
    """Return each parameter, a title, a voyage with it and the same without it, for both programs."""
    for number, (name, voyage) in enumerate([*TABLE, *OF_MX]):
        rest = {key: value for key, value in voyage.options.items() if key != name}
        if not name.startswith("lmtp_"):
            yield name, f"{number} {name}", voyage, replace(voyage, options=rest)
        if name not in ONLY_SMTP and number < len(TABLE):
            script = {key.replace("EHLO", "LHLO"): answer for key, answer in voyage.script.items()}
            options = {of_lmtp(key): value for key, value in voyage.options.items()}
            with_it = replace(voyage, options=options, script=script, lmtp=True)
            without = replace(with_it, options={of_lmtp(key): value for key, value in rest.items()})
            yield of_lmtp(name), f"{number} {of_lmtp(name)} of lmtp", with_it, without


@pytest.fixture(scope="session")
def own_world(peer: Peer) -> Iterator[DnsWorld]:
    zone, hosts = "us A 127.0.0.1\n", HOSTS
    scripts: dict[str, Script] = {}
    for n in range(MOST):
        own = addresses(n)
        zone += f"h{n} A {own['first']}\nh{n}.sub A {own['first']}\nb{n} A {own['second']}\nc{n} A {own['third']}\n"
        zone += f"two{n} MX 10 h{n}\ntwo{n} MX 20 b{n}\ngone{n} MX 10 missing\nnull{n} MX 0 .\nbadmx{n} A {own['first']}\n"
        zone += f"dual{n} A {own['first']}\ndual{n} AAAA ::1\npair{n} A {own['first']}\npair{n} A {own['second']}\n"
        zone += f"many{n} A {own['first']}\n" + "".join(f"many{n} AAAA 2001:db8::{last}\n" for last in range(1, 7))
        zone += f"srv{n} MX 10 h{n}\n_submission._tcp.srv{n} SRV 10 0 {{port}} b{n}\nbadsrv{n} MX 10 h{n}\n"
        zone += f"equal{n} MX 10 h{n}\nequal{n} MX 10 b{n}\nequal{n} MX 10 c{n}\n"
        hosts += f"{own['first']} native{n}.hosts.example\n"
        scripts |= {f"badmx{n}.dns.example/MX": rcode("SERVFAIL"), f"_submission._tcp.badsrv{n}.dns.example": rcode("SERVFAIL")}
    options = "timeout:2 attempts:1\nsearch dns.example"
    with DnsWorld({"dns.example": zone.replace("{port}", str(peer.port))}, scripts, options=options, hosts=hosts) as found:
        yield found


@pytest.fixture
def fleet(parity: Parity, peer: Peer, own_world: DnsWorld) -> Fleet:
    """Voyages where the DNS is asked."""
    main = {f"{kind}_{name}": value for kind in ("smtp", "lmtp") for name, value in {
        "dns_support_level": "enabled", "host_lookup": "dns", "tcp_port": str(peer.port),
    }.items()}  # fmt: skip
    main |= {
        "initial_destination_concurrency": "1", "default_destination_concurrency_limit": "1", "connection_cache_ttl_limit": "60s",
        "inet_interfaces": "127.0.0.1",
    }  # fmt: skip
    return Fleet(parity, peer, main, {"mounts": own_world.mounts})


def sections(seen: Observation, titles: list[str]) -> dict[str, list[str]]:
    """Return what was seen of each voyage, without what tells one from another."""
    found: dict[str, list[str]] = {title: [] for title in titles}
    title, by_program = "", {name.replace(" ", "_"): name for name in titles}
    for line in seen.transcript:
        if line.startswith("== "):
            title = line[3:].removeprefix("notice: ")
        elif title in found:
            found[title].append(line)
    for program, lines in seen.log.items():
        title = by_program.get(program.removeprefix("postfix/").rpartition("/")[0], "")
        if title:
            found[title] += lines
    return {name: [re.sub(r"<ID\d+>|\b[a-z]+\d+\b|127\.[345]\.\d+\.\d+", "*", line) for line in lines] for name, lines in found.items()}


@pytest.mark.parametrize("part", range(4))
def test_parameters(fleet: Fleet, part: int) -> None:
    voyages: dict[str, Voyage] = {}
    titles = []
    for _, title, with_it, without in list(pairs())[part::4]:
        voyages |= {title: with_it, f"without {title}": without}
        titles.append(title)
    assert len(voyages) <= MOST
    seen = sections(fleet(voyages, files=FILES), list(voyages))
    same = [title for title in titles if sorted(seen[title]) == sorted(seen[f"without {title}"])]
    assert not same, f"they change nothing: {same}"


def test_a_random_order(fleet: Fleet, parity: Parity) -> None:
    """Of servers with one preference any may be the first; without smtp_randomize_addresses it is always the same."""

    def case(mta: Instance) -> list[bool]:
        fleet.peer.reset()
        for name in ("random", "steady") * ROUNDS:
            for kind in ("smtp", "lmtp"):
                mta.send_message(f"a@{name}.{kind}.example", sender="second@ours.example")
        mta.wait_until_empty(40)
        fleet.peer.seen()
        text = mta.log_lines()
        seen = []
        for kind in ("smtp", "lmtp"):
            for name in ("random", "steady"):
                lines = [line for line in text if f"@{name}.{kind}.example" in line and "status=sent" in line]
                assert len(lines) == ROUNDS
                seen.append(len({re.findall(r"relay=\S+?\[([\d.]+)\]", line)[0] for line in lines}) > 1)
        return seen

    services, routes = {}, []
    for kind, number in (("smtp", 1), ("lmtp", 2)):
        hop = {"smtp": f"equal{number}", "lmtp": f"pair{number}"}[kind]
        services[f"steady{kind}"] = f"steady{kind} unix - - n - - {kind} -o {kind}_randomize_addresses=no"
        routes += [f"{{random.{kind}.example={kind}:{hop}.dns.example}}", f"{{steady.{kind}.example=steady{kind}:{hop}.dns.example}}"]
    # One connection for all that wait would take them to one server, whichever it was.
    main = {**fleet.main, "smtp_connection_cache_on_demand": "no", "lmtp_connection_cache_on_demand": "no"}
    main |= {"transport_maps": f"inline:{{{', '.join(routes)}}}", "smtp_tls_security_level": "none"}
    assert parity(case, main=main, master=services, **fleet.arguments).result == [True, False, True, False]


def test_old_name(fleet: Fleet) -> None:
    """fallback_relay is what smtp_fallback_relay was called before."""
    seen = fleet({"old": Voyage({}, nexthop="[{first}]:1")}, main={"fallback_relay": "[127.0.0.46]"})
    assert "relay=127.0.0.46" in str(seen.log) and "status=sent" in str(seen.log)


def test_each_has_a_place() -> None:
    """A parameter that smtp(8) or lmtp(8) reads is in the table, or it is said where it is tried."""
    tried = {name for name, *_ in pairs()}
    declared: set[str] = set()
    for settings in (SmtpClientSettings, LmtpClientSettings, SmtpTransportSettings):
        for name, parameter in vars(settings).items():
            declared.add(getattr(parameter, "name", None) or name) if not name.startswith("_") else None
    declared |= {"smtp_tcp_port", "lmtp_tcp_port"}
    assert len(declared) > 100
    places = tuple(ELSEWHERE) + tuple(of_lmtp(name) for name in ELSEWHERE)
    assert not sorted(name for name in declared - tried if not name.endswith(places))
