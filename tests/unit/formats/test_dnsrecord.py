from __future__ import annotations

from pyfix.formats.dnsrecord import (
    AddressRecord,
    HostRecord,
    MxRecord,
    SoaRecord,
    SrvRecord,
    TextRecord,
    TlsaRecord,
    records_of,
)

HEAD = ("a.example", "asked.example", 60)


def test_records_as_text() -> None:
    assert AddressRecord("A", *HEAD, "192.0.2.1").text == "a.example. 60 IN A 192.0.2.1"
    assert HostRecord("NS", *HEAD, "n.example").text == "a.example. 60 IN NS n.example."
    assert MxRecord("MX", *HEAD, 10, "m.example").text == "a.example. 60 IN MX 10 m.example."
    assert SrvRecord("SRV", *HEAD, 1, 2, 25, "m.example").text == "a.example. 60 IN SRV 1 2 25 m.example."
    assert TextRecord("TXT", *HEAD, "a b").text == "a.example. 60 IN TXT a b"
    assert TlsaRecord("TLSA", *HEAD, 3, 1, 1, b"\x0a\xff").text == "a.example. 60 IN TLSA 3 1 1 0AFF"
    assert SoaRecord("SOA", *HEAD, 1, 2, 3, 4, 5).text == "a.example. 60 IN SOA - - 1 2 3 4 5"


def test_those_of_a_kind() -> None:
    mx, ns = MxRecord("MX", *HEAD, 10, "m.example"), HostRecord("NS", *HEAD, "n.example")
    assert records_of(MxRecord, (ns, mx)) == [mx]
