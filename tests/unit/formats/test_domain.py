from __future__ import annotations

import pytest

from pyfix.formats import domain


@pytest.mark.parametrize(
    "name, valid",
    [
        ("example.com", True), ("a", True), ("x_y.example", True), ("_dmarc.example", True), ("1.2.3.4x", True),
        ("", False), (".", False), ("a..b", False), (".a", False), ("a.", False), ("-a.b", False), ("a-.b", False),
        ("1.2.3.4", False), ("1234", False), ("a b", False), ("a:b", False), ("*.example.com", False),
        ("x" * 63 + ".com", True), ("x" * 64 + ".com", False), ("x." * 127 + "x", True), ("x." * 128 + "x", False),
        ("b\u00fccher.example", True), ("b\u00fccher..example", False), ("\udcff.example", False), ("a\n", False),
    ],
)  # fmt: skip
def test_hostname(name: str, valid: bool) -> None:
    assert domain.is_hostname(name) is valid


def test_wildcard() -> None:
    assert domain.is_hostname("*.example.com", wildcard=True)
    assert not domain.is_hostname("a.*.com", wildcard=True)
    assert not domain.is_hostname("*", wildcard=True)


@pytest.mark.parametrize(
    "text, valid",
    [
        ("1.2.3.4", True), ("127.0.0.1", True), ("255.255.255.255", True), ("0.1.2.3", False), ("1.2.3", False),
        ("1.2.3.256", False), ("1.2.3.4.5", False), ("::1", True), ("2001:db8::1", True), ("::ffff:1.2.3.4", True),
        (":::", False), ("fe80::1%eth0", False), ("", False), ("a.b.c.d", False), ("1.2.3.", False),
    ],
)  # fmt: skip
def test_hostaddr(text: str, valid: bool) -> None:
    assert domain.is_hostaddr(text) is valid


@pytest.mark.parametrize(
    "literal, address",
    [
        ("[1.2.3.4]", "1.2.3.4"), ("[IPv6:::1]", "::1"), ("[ipv6:2001:db8::1]", "2001:db8::1"), ("[::1]", None),
        ("[]", None), ("1.2.3.4", None), ("[1.2.3.4", None), ("[1.2.3]", None), ("[IPv6:1.2.3.4]", None),
    ],
)  # fmt: skip
def test_literal(literal: str, address: str | None) -> None:
    assert domain.literal_to_address(literal) == address
    assert domain.valid_mailhost_literal(literal) is (address is not None)


def test_parents() -> None:
    assert list(domain.parents("a.b.c")) == ["b.c", "c"]
    assert list(domain.parents("a")) == []


def test_idna() -> None:
    assert domain.domain_to_ascii("b\u00fccher.example") == "xn--bcher-kva.example"
    assert domain.domain_to_utf8("xn--bcher-kva.example") == "b\u00fccher.example"
    assert domain.domain_to_ascii("a..\u00fc") is None
    assert domain.domain_to_utf8("plain.example") == "plain.example"
    assert domain.fold("B\u00dcCHER") == "b\u00fccher"
    assert domain.fold("ABC") == "abc"


@pytest.mark.parametrize(
    "literal, text",
    [
        ("[::1]", "valid_ipv4_hostaddr: invalid character 58(decimal): ::1"),
        ("[foo]", "valid_ipv4_hostaddr: invalid character 102(decimal): foo"),
        ("[]", "valid_ipv4_hostaddr: invalid octet count: "),
        ("[IPv6:x]", None),
    ],
)
def test_complaint_about_a_literal(literal: str, text: str | None) -> None:
    assert domain.hostaddr_complaint(literal) == text


def test_complaint_about_a_name() -> None:
    assert domain.ascii_complaint("plain..name") is None
    assert domain.ascii_complaint("b\u00fccher.example") is None
    start = "midna_domain_to_ascii_create: Problem translating domain "
    assert domain.ascii_complaint("\u00fc..x") == f'{start}"\u00fc..x" to ASCII form: UIDNA_ERROR_EMPTY_LABEL'
    assert domain.ascii_complaint("\u00fc x") == f'{start}"\u00fc x" to ASCII form: malformed ASCII label(s)'
