from __future__ import annotations

from pyfix.protocols.smtp.offer import Offer


def offer(*lines: str, discard: tuple[str, ...] = ()) -> tuple[Offer, list[str]]:
    found, warnings = Offer(), []
    found.read("\n".join(["250-peer.example", *lines]), discard, warnings.append)
    return found, warnings


def test_keywords_in_any_case() -> None:
    found, warnings = offer("250-pipelining", "250-DSN", "250 size 1000")
    assert found.keywords == {"PIPELINING", "DSN", "SIZE"} and found.size_limit == 1000 and not warnings
    assert "DSN" in found and "STARTTLS" not in found


def test_the_first_line_offers_nothing() -> None:
    found, _ = offer()
    assert not found.keywords


def test_sizes() -> None:
    assert offer("250 SIZE")[0].size_limit == 0
    assert offer("250 SIZE=300")[0].size_limit == 300
    found, warnings = offer("250 SIZE large")
    assert "SIZE" not in found and warnings == ["large"]


def test_attributes_and_mechanisms() -> None:
    found, _ = offer("250-XFORWARD name ADDR other", "250-AUTH PLAIN LOGIN", "250 AUTH=CRAM-MD5")
    assert found.xforward == {"NAME", "ADDR"}
    assert found.mechanisms == "PLAIN LOGIN CRAM-MD5"


def test_keywords_that_are_not_believed() -> None:
    found, _ = offer("250-PIPELINING", "250 DSN", discard=("pipelining",))
    assert found.keywords == {"DSN"}
