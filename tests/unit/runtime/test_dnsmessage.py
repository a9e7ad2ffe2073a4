from __future__ import annotations

import struct

import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.runtime.dns import NUMBERS, Status
from pyfix.runtime.dnsmessage import Reply
from pyfix.runtime.log import log

NAME = "a.example"
DATA = {
    "A": "192.0.2.1", "AAAA": "2001:db8::1", "MX": "10 m.example.", "NS": "n.example.", "PTR": "p.example.",
    "CNAME": "c.example.", "SRV": "1 2 25 s.example.", "TXT": '"one" "two"', "TLSA": "3 1 0 0A0B",
    "SOA": "n.example. r.example. 1 2 3 4 5",
}  # fmt: skip


def reply(*records: tuple[str, str]) -> bytes:
    message = dns.message.make_response(dns.message.make_query(NAME, "A"))
    for kind, data in records:
        message.answer.append(dns.rrset.from_text(f"{NAME}.", 60, "IN", kind, data))
    return message.to_wire()


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    return lines


@pytest.mark.parametrize("kind", NUMBERS)
def test_all_types_as_another_library_writes_them(kind: str, warnings: list[str]) -> None:
    status, records, alias = Reply(reply((kind, DATA[kind])), dnssec=False).extract(NAME, kind)
    expected = {"TXT": "onetwo", "SOA": "- - 1 2 3 4 5"}.get(kind, DATA[kind])
    assert (status, [record.text for record in records], alias) == (Status.OK, [f"{NAME}. 60 IN {kind} {expected}"], "")
    assert not warnings


def test_an_alias_stands_in_for_records() -> None:
    assert Reply(reply(("CNAME", "c.example.")), dnssec=False).extract(NAME, "A")[2] == "c.example"


def test_the_other_records_count_where_one_is_damaged(warnings: list[str]) -> None:
    whole = reply(("A", "192.0.2.1"), ("A", "192.0.2.2"))
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 3) + b"\1\2\3"
    damaged = whole[:6] + b"\0\3" + whole[8:] + record
    status, records, _ = Reply(damaged, dnssec=False).extract(NAME, "A")
    assert (status, len(records), warnings) == (Status.OK, 2, ["extract_answer: bad address length: 3"])


@pytest.mark.parametrize(
    ("kind", "data", "warning"),
    [
        ("TXT", b"\x09abc", "extract_answer: bad TXT string length: 9"),
        ("AAAA", b"\1", "extract_answer: bad address length: 1"),
        ("TLSA", b"\1\2", ""),
        ("MX", b"\0", ""),
        ("NS", b"\xc0\xff", ""),
    ],
)
def test_damaged_records(kind: str, data: bytes, warning: str, warnings: list[str]) -> None:
    head = struct.pack("!HHHIH", 0xC00C, int(dns.rdatatype.from_text(kind)), 1, 60, len(data))
    whole = reply()
    found = Reply(whole[:6] + b"\0\1" + whole[8:] + head + data, dnssec=False).extract(NAME, kind)
    assert (found.status, found.records) == (Status.RETRY, ())
    assert warnings == ([warning] if warning else [])


def test_another_class(warnings: list[str]) -> None:
    whole = reply()
    record = struct.pack("!HHHIH", 0xC00C, 1, 3, 60, 4) + b"\1\2\3\4"
    assert Reply(whole[:6] + b"\0\1" + whole[8:] + record, dnssec=False).extract(NAME, "A").status is Status.RETRY
    assert warnings == ["dns_get_fixed: bad class: 3"]


def test_validated_only_when_asked() -> None:
    data = bytearray(reply(("A", "192.0.2.1")))
    data[3] |= 0x20
    assert Reply(bytes(data), dnssec=True).validated
    assert not Reply(bytes(data), dnssec=False).validated


@given(st.binary(min_size=12, max_size=200), st.sampled_from(sorted(NUMBERS)))
def test_noise(data: bytes, kind: str) -> None:
    answer = Reply(data, dnssec=True)
    assert answer.extract(NAME, kind).status in Status
    answer.zone(NAME)


@given(st.data(), st.sampled_from(sorted(NUMBERS)))
def test_damaged_answers(data: st.DataObject, kind: str) -> None:
    whole = bytearray(reply((kind, DATA[kind]), ("MX", DATA["MX"]), (kind, DATA[kind])))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    answer = Reply(bytes(whole[: data.draw(st.integers(12, len(whole)))]), dnssec=False)
    assert answer.extract(NAME, kind).status in Status
    answer.zone(NAME)
