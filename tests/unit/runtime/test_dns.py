from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.formats.dnsrecord import AddressRecord, HostRecord, MxRecord, Record, records_of
from pyfix.runtime.dns import Answer, Dns, Status
from pyfix.runtime.log import log
from pyfix.runtime.resolvconf import NameServer, ResolverConfiguration
from pyfix.runtime.task import gather, sleep
from tests.kit.dnsdouble import DnsDouble, garbage, raw_records, rcode, silence
from tests.unit.runtime.forked import on_loop

RECORDS = """
plain.example 60 MX 20 backup.example.
plain.example 60 MX 10 mail.example.
mail.example A 192.0.2.1
mail.example A 192.0.2.2
mail.example AAAA 2001:db8::1
only4.example A 192.0.2.4
alias.example CNAME second.example.
second.example CNAME mail.example.
dangling.example CNAME nowhere.example.
loop1.example CNAME loop2.example.
loop2.example CNAME loop1.example.
null.example MX 0 .
_smtp._tcp.example SRV 0 5 25 mail.example.
_smtp._tcp.null.example SRV 0 0 0 .
text.example TXT "one " "two" "\\001three"
_25._tcp.mail.example TLSA 3 1 0 0a0b0c
numeric.example MX 10 192.0.2.77.
bad.example MX 10 -bad-.example.
mixed.example MX 10 -bad-.example.
mixed.example MX 20 mail.example.
4.2.0.192.in-addr.arpa PTR only4.example.
short.local.example A 192.0.2.9
here.other.example A 192.0.2.10
. NS a.root.example.
"""
SCRIPTS = {
    "servfail.example": rcode("SERVFAIL"),
    "refused.example": rcode("REFUSED"),
    "formerr.example": rcode("FORMERR"),
    "silent.example": silence,
    "garbage.example": garbage,
    "three.example": raw_records(("three.example", "A", b"\1\2\3")),
    "servfail.example.other.example": rcode("SERVFAIL"),
    "half.example/A": rcode("SERVFAIL"),
    "half.example/AAAA": raw_records(("half.example", "AAAA", bytes(15) + b"\1")),
    "wild.example": raw_records(("*.wild.example", "A", b"\1\2\3\4")),
    "strange.example": raw_records(("with space.example", "A", b"\1\2\3\4")),
    "no_edns.example": lambda query: rcode("FORMERR")(query) if query.edns >= 0 else None,
    "many.example": raw_records(*[("many.example", "A", bytes([10, 0, 0, n])) for n in range(1, 111)]),
}


def asked(
    questions: Callable[[Dns], Coroutine[Any, Any, object]],
    *servers: DnsDouble,
    options: dict[str, Any] | None = None,
    timeout: int = 1,
    attempts: int = 2,
    search: tuple[str, ...] = (),
    **more: bool,
) -> tuple[object, list[str]]:
    """Return what *questions* found, and what was logged."""

    async def test() -> object:
        lines: list[str] = []
        log.warning = lambda text: lines.append(text)  # type: ignore[method-assign,assignment]  # what the test listens with
        configuration = ResolverConfiguration(
            tuple(NameServer(socket.AF_INET, server.address) for server in servers),
            search,
            timeout=timeout,
            attempts=attempts,
            **more,
        )
        dns = Dns(configuration=lambda: configuration, **(options or {}))
        return (await questions(dns), lines)

    return on_loop(test)  # type: ignore[return-value]  # what on_loop returns is an object


def one(name: str, kind: str, **named: Any) -> tuple[tuple[str, list[str], str, str, bool], list[str]]:
    """Return status, records, reason, error, and whether the answer is validated; and what was logged."""

    async def questions(dns: Dns) -> object:
        return shown(await dns.query(name, kind, dnssec=named.get("dnssec", False)))

    with DnsDouble(RECORDS, SCRIPTS, validated=("mail.example", "."), small=named.pop("small", False)) as server:
        more = {key: value for key, value in named.items() if key != "dnssec"}
        return asked(questions, server, **more)  # type: ignore[return-value]  # what on_loop returns is an object


def shown(answer: Answer) -> tuple[str, list[str], str, str, bool]:
    return (
        answer.status.value,
        [record.text for record in answer.records],
        answer.reason,
        answer.error,
        answer.validated,
    )


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("plain.example", "MX", ["plain.example. 60 IN MX 20 backup.example.", "plain.example. 60 IN MX 10 mail.example."]),
        ("mail.example", "A", ["mail.example. 300 IN A 192.0.2.1", "mail.example. 300 IN A 192.0.2.2"]),
        ("mail.example", "AAAA", ["mail.example. 300 IN AAAA 2001:db8::1"]),
        ("alias.example", "AAAA", ["mail.example. 300 IN AAAA 2001:db8::1"]),
        ("_smtp._tcp.example", "SRV", ["_smtp._tcp.example. 300 IN SRV 0 5 25 mail.example."]),
        ("text.example", "TXT", ["text.example. 300 IN TXT one two three"]),
        ("_25._tcp.mail.example", "TLSA", ["_25._tcp.mail.example. 300 IN TLSA 3 1 0 0A0B0C"]),
        ("4.2.0.192.in-addr.arpa", "PTR", ["4.2.0.192.in-addr.arpa. 300 IN PTR only4.example."]),
        ("alias.example", "CNAME", ["alias.example. 300 IN CNAME second.example."]),
        (".", "NS", [". 300 IN NS a.root.example."]),
    ],
)  # fmt: skip
def test_records(name: str, kind: str, records: list[str]) -> None:
    (status, found, reason, error, _), lines = one(name, kind)
    assert (status, found, reason, error, lines) == ("ok", records, "", "", [])


def failed(name: str, kind: str, error: str) -> str:
    return f"Host or domain name not found. Name service error for name={name} type={kind}: {error}"


def malformed(name: str, kind: str) -> str:
    return f"Name service error for name={name} type={kind}: Malformed or unexpected name server reply"


@pytest.mark.parametrize(
    ("name", "kind", "status", "reason"),
    [
        ("nowhere.example", "A", "not_found", failed("nowhere.example", "A", "Host not found")),
        ("mail.example", "MX", "no_data", failed("mail.example", "MX", "Host found but no data record of requested type")),
        ("dangling.example", "A", "not_found", failed("nowhere.example", "A", "Host not found")),
        ("servfail.example", "MX", "retry", failed("servfail.example", "MX", "Host not found, try again")),
        ("refused.example", "MX", "retry", failed("refused.example", "MX", "Host not found, try again")),
        ("formerr.example", "MX", "fail", failed("formerr.example", "MX", "Non-recoverable error")),
        ("null.example", "MX", "null_mx", "Domain null.example does not accept mail (nullMX)"),
        ("_smtp._tcp.null.example", "SRV", "null_srv", "Domain _smtp._tcp.null.example does not support SRV requests"),
        ("192.0.2.1", "A", "not_found", "Name service error for 192.0.2.1: invalid host or domain name"),
        ("a..b", "A", "not_found", "Name service error for a..b: invalid host or domain name"),
        ("-a.example", "A", "not_found", "Name service error for -a.example: invalid host or domain name"),
        ("ümlaut.example", "A", "not_found", "Name service error for ümlaut.example: invalid host or domain name"),
        ("garbage.example", "A", "retry", malformed("garbage.example", "A")),
        ("three.example", "A", "retry", malformed("three.example", "A")),
        ("loop1.example", "A", "not_found", "Name server loop for loop1.example"),
    ],
)  # fmt: skip
def test_failures(name: str, kind: str, status: str, reason: str) -> None:
    found, _lines = one(name, kind)
    assert (found[0], found[2]) == (status, reason)
    assert found[1] == []


def test_malformed_names() -> None:
    found, lines = one("bad.example", "MX")
    assert (found[0], found[2]) == ("invalid", malformed("bad.example", "MX"))
    assert lines == [
        "valid_hostname: misplaced hyphen: -bad-.example",
        "malformed domain name in resource data of MX record for bad.example: -bad-.example",
    ]
    found, lines = one("mixed.example", "MX")
    assert (found[0], len(found[1]), len(lines)) == ("ok", 1, 2)
    found, lines = one("numeric.example", "MX")
    assert (found[0], found[1]) == ("ok", ["numeric.example. 300 IN MX 10 192.0.2.77."])
    assert lines == ["numeric domain name in resource data of MX record for numeric.example: 192.0.2.77"]
    found, lines = one("strange.example", "A")
    assert found[0] == "invalid"
    assert lines[-1].startswith("malformed domain name in resource name of A record for strange.example: with")
    assert one("wild.example", "A")[0][0] == "ok"


def test_more_records_than_anybody_needs() -> None:
    found, lines = one("many.example", "A")
    assert len(found[1]) == 100
    assert lines == [
        "DNS record count limit (100) exceeded -- dropping excess record(s) after qname=many.example qtype=A"
    ]


def test_what_does_not_fit_comes_over_tcp() -> None:
    assert one("mail.example", "A", small=True)[0][1] == one("mail.example", "A")[0][1]
    assert one("mail.example", "A", tcp=True)[0][0] == "ok"
    assert one("silent.example", "A", tcp=True, attempts=1)[0][0] == "retry"


def test_dnssec() -> None:
    assert one("mail.example", "A", dnssec=True)[0][4]
    assert not one("mail.example", "A")[0][4]
    found, lines = one("only4.example", "A", dnssec=True, options={"probe": "ns:."})
    assert (found[0], found[4], lines) == ("ok", False, [])  # the probe was validated
    _, lines = one("only4.example", "A", dnssec=True, options={"probe": "a:plain.example"})
    assert lines == [
        "DNSSEC validation may be unavailable",
        "reason: dnssec_probe 'a:plain.example' received a response that is not DNSSEC validated",
    ]
    _, lines = one("only4.example", "A", dnssec=True, options={"probe": "a:servfail.example"})
    assert lines[1] == "reason: dnssec_probe 'a:servfail.example' received no response: Host not found, try again"
    with pytest.raises(ConfigError):
        Dns(probe="ns")
    # A server that does not know EDNS is asked without.
    assert one("no_edns.example", "A", dnssec=True)[0][0] == "retry"


def test_the_next_server_is_asked() -> None:
    async def questions(dns: Dns) -> object:
        return (await dns.query("mail.example", "A")).status.value

    with DnsDouble(RECORDS, {"mail.example": rcode("SERVFAIL")}) as first, DnsDouble(RECORDS) as second:
        assert asked(questions, first, second)[0] == "ok"
        assert first.asked == [("mail.example", "A")]
        first.scripts["mail.example"] = silence
        assert asked(questions, first, second)[0] == "ok"
    with DnsDouble(RECORDS) as second:
        gone = DnsDouble()
        gone.close()
        assert asked(questions, gone, second)[0] == "ok"
        assert asked(questions, gone)[0] == "retry"


def test_rounds_and_rotation() -> None:
    async def questions(dns: Dns) -> object:
        return [(await dns.query("servfail.example", "A")).status.value for _ in range(2)]

    with DnsDouble(RECORDS, SCRIPTS) as first, DnsDouble(RECORDS, SCRIPTS) as second:
        asked(questions, first, second, attempts=3)
        assert (len(first.asked), len(second.asked)) == (6, 6)

    async def questions_of(dns: Dns) -> object:
        return [(await dns.query("mail.example", "A")).status.value for _ in range(4)]

    with DnsDouble(RECORDS) as first, DnsDouble(RECORDS) as second:
        asked(questions_of, first, second, rotate=True)
        assert (len(first.asked), len(second.asked)) == (2, 2)


def test_answers_of_others_are_no_answers() -> None:
    def forged(query: Any) -> bytes:
        reply = DnsDouble.answer(server, query.to_wire(), tcp=True)
        assert reply is not None
        return bytes([reply[0] ^ 1]) + reply[1:]

    def other_question(query: Any) -> bytes:
        reply = forged(query)
        return bytes([reply[0] ^ 1]) + reply[1:13] + b"x" + reply[14:]

    async def questions(dns: Dns) -> object:
        return [(await dns.query(name, "A")).status.value for name in ("f.example", "o.example")]

    with DnsDouble("f.example A 192.0.2.1\no.example A 192.0.2.1") as server:
        double = DnsDouble("", {"f.example": forged, "o.example": other_question})
        with double:
            assert asked(questions, double, attempts=1)[0] == ["retry", "retry"]


@pytest.mark.parametrize(
    ("name", "options", "found"),
    [
        ("short", {"default_domain": True}, ["192.0.2.9"]),
        ("short", {}, []),
        ("here", {"default_domain": True}, []),
        ("here", {"default_domain": True, "search_domains": True}, ["192.0.2.10"]),
        ("here.other", {"search_domains": True}, []),
        ("short.local", {"search_domains": True}, ["192.0.2.9"]),
        ("short.local", {"default_domain": True}, []),
        (".".join(["x" * 60] * 4), {"search_domains": True}, []),
    ],
)
def test_search_list(name: str, options: dict[str, Any], found: list[str]) -> None:
    async def questions(dns: Dns) -> object:
        return [record.address for record in records_of(AddressRecord, (await dns.query(name, "A")).records)]

    with DnsDouble(RECORDS) as server:
        domains = ("local.example", "example") if name.startswith("short.") else ("local.example", "other.example")
        assert asked(questions, server, options=options, search=domains)[0] == found


def test_several_types() -> None:
    async def questions(dns: Dns) -> object:
        return [
            shown(await dns.lookup("mail.example", ("A", "AAAA")))[1],
            shown(await dns.lookup("mail.example", ("MX", "A", "AAAA"), stop_at=(Status.OK,)))[1],
            shown(await dns.lookup("half.example", ("A", "AAAA")))[:2],
            shown(await dns.lookup("half.example", ("A", "MX")))[0],
            shown(await dns.lookup("null.example", ("MX", "A"), stop_at=(Status.NULL_MX,)))[0],
            (await dns.query("nowhere.example", "A")).negative[0].minimum,
        ]

    with DnsDouble(RECORDS, SCRIPTS) as server:
        found, _ = asked(questions, server)
    assert found == [
        ["mail.example. 300 IN A 192.0.2.1", "mail.example. 300 IN A 192.0.2.2", "mail.example. 300 IN AAAA 2001:db8::1"],
        ["mail.example. 300 IN A 192.0.2.1", "mail.example. 300 IN A 192.0.2.2"],
        ("ok", ["half.example. 300 IN AAAA ::1"]),
        "retry",
        "null_mx",
        60,
    ]  # fmt: skip


class Filter:
    """Drops what names the word."""

    async def keep(self, records: Sequence[Record]) -> tuple[Record, ...] | None:
        if any("only4" in record.text for record in records):
            return None
        return tuple(record for record in records if "backup" not in record.text and "2001:" not in record.text)


def test_reply_filter() -> None:
    options = {"reply_filter": Filter()}
    assert one("plain.example", "MX", options=options)[0][1] == ["plain.example. 60 IN MX 10 mail.example."]
    found = one("mail.example", "AAAA", options=options)[0]
    assert found[0] == "policy"
    assert found[2] == "Error looking up name=mail.example type=AAAA: DNS reply filter drops all results"
    found = one("only4.example", "A", options=options)[0]
    assert found[0] == "retry"
    assert found[2] == "Error looking up name=only4.example type=A: Invalid DNS reply filter syntax"


def test_many_questions_side_by_side() -> None:
    async def question(dns: Dns, name: str) -> str:
        return (await dns.query(name, "A")).status.value

    async def questions(dns: Dns) -> object:
        slow = [question(dns, "silent.example") for _ in range(20)]
        quick = [question(dns, "mail.example") for _ in range(100)]
        done: list[str] = []

        async def watch() -> str:
            done.extend(await gather(*quick))
            return "quick"

        async def wait() -> str:
            await gather(*slow)
            return "slow when quick ones were done" if len(done) == 100 else "slow first"

        return await gather(wait(), watch())

    with DnsDouble(RECORDS, SCRIPTS) as server:
        found, _ = asked(questions, server, attempts=1)
    assert found == ["slow when quick ones were done", "quick"]


def test_hosts_and_mail_exchangers_are_typed() -> None:
    mx = MxRecord("MX", "a.example", "a.example", 1, 5, "m.example")
    ns = HostRecord("NS", "a.example", "a.example", 1, "n.example")
    assert records_of(MxRecord, (ns, mx)) == [mx]
    assert ns.text == "a.example. 1 IN NS n.example."


def test_no_wait_for_an_answer_blocks() -> None:
    async def questions(dns: Dns) -> object:
        order: list[str] = []

        async def ask() -> None:
            await dns.query("silent.example", "A")
            order.append("answer")

        async def other() -> None:
            await sleep(0.1)
            order.append("other")

        await gather(ask(), other())
        return order

    with DnsDouble(RECORDS, SCRIPTS) as server:
        assert asked(questions, server, attempts=1)[0] == ["other", "answer"]
