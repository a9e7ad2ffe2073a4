from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.address_list import AddressList, rewrite_addresses


def complete(address: str) -> str:
    """Do what trivial-rewrite does with incomplete addresses, the simple cases."""
    return address if "@" in address or address == '""' else address + "@ref"


@pytest.mark.parametrize(
    "body, header",
    [  # what cleanup made of these, with @ref for its own myorigin
        (" foo, bar@baz (x), grp: a, b@c;", "foo@ref, bar@baz (x), grp: a@ref, b@c;"),
        (" joe blow, <fred>,", "joe@ref, blow@ref, <fred@ref>, "),
        (' Cc <>, (only), "A, B" <q>', 'Cc <>, (only), "A, B" <q@ref>'),
        (" a@b (c) d", "a@b, d@ref (c)"),
        (" a(c)b", "a@ref, b@ref (c)"),
        (' x"y"z <q>', 'x "y" z <q@ref>'),
        (" (c)(d) <q>(e)(f)", "(c) (d) <q@ref>(e) (f)"),
        (" a:b <q>", "a@ref:b <q@ref>"),
        (" a;b <q>", "a@ref;b <q@ref>"),
        (" a> <q>", "a@ref> <q@ref>"),
        (" <q> <r> <s>", "<q@ref> <r@ref> <s@ref>"),
        (" <q>,,<r>;", "<q@ref>, , <r@ref>;"),
        (" g:<q>,<r>;,<s>", "g: <q@ref>, <r@ref>;, <s@ref>"),
        (" g1: a; g2: b;", "g1:a;g2: b@ref;"),
        (" q;;r", "q@ref;;, r@ref"),
        (" (a\\)b\\\\), q", "(a\\)b\\\\), q@ref"),
        (' ""@x, q', '""@x, q@ref'),
        (" q (c", "q@ref (c"),
        (" a\\ b, q", '"a b"@ref, q@ref'),
        (" \\x01|y <q>", "x01|y <q@ref>"),
    ],
)
def test_headers(body: str, header: str) -> None:
    assert rewrite_addresses("To", body, complete) == f"To: {header}"


@pytest.mark.parametrize(
    "body, asked",
    [
        (" <a b@c>", ["ab@c"]),
        (' a"b"c', ["a", '"b"', "c"]),
        (" <[x]y>", ["[x]y"]),
        (" @r,@s:u@d", ["@r", "@s:u@d"]),
        (" <@r,@s:u@d>", ["@r, @s:u@d"]),
        (" g: @s:u@d;", ["u@d"]),
        (" <(c)>", []),
        (" <>", []),
        (" foo: a", ["foo:a"]),
        (" =?utf-8?q?a,b?= <z@y>", ["=?utf-8?q?a", "z@y"]),
        (' "x" <a@b.c>, d@e.f , Joe Doe <g@h>', ["a@b.c", "d@e.f", "g@h"]),
        (' "a@b.c" <d@e>', ["d@e"]),
        (" a@b.c\n d@e.f", ["a@b.c", "d@e.f"]),
    ],
)
def test_addresses(body: str, asked: list[str]) -> None:
    assert list(AddressList(body).addresses) == asked


def test_unchanged_header_stays_as_written() -> None:
    """Odd spacing and all: nothing is written again unless an address changed."""
    found = AddressList("  a@b  ,\n\tJoe<c@d>")
    assert found.header("To", ["a@b", "c@d"]) is None


def test_fold() -> None:
    header = rewrite_addresses("To", " " + ", ".join(f"user{n}" for n in range(6)), lambda a: a + "@ref.example.test")
    assert header == (
        "To: user0@ref.example.test, user1@ref.example.test,\n"
        "\tuser2@ref.example.test, user3@ref.example.test,\n"
        "\tuser4@ref.example.test, user5@ref.example.test"
    )


@pytest.mark.parametrize("length, lines", [(69, 1), (70, 2)])
@pytest.mark.parametrize("start", ["x", "\u00e9"])
def test_fold_at_seventy(length: int, lines: int, start: str) -> None:
    """A line stays shorter than 70 bytes, whatever the characters."""
    name = start + "x" * (length - len("To: q@, @") - len(start.encode()))
    header = rewrite_addresses("To", f" q, {name}", lambda address: address + "@")
    assert header is not None
    assert len(header.encode()) == length + lines - 1
    assert len(header.split("\n")) == lines


def test_newline_in_a_comment_is_a_place_to_fold() -> None:
    long = "x" * 50
    assert rewrite_addresses("To", f" q ({long}\n  {long})", complete) == f"To: q@ref ({long}\n  {long})"
    assert rewrite_addresses("To", " q (a\n\tb)", complete) == "To: q@ref (a \tb)"


def test_limit() -> None:
    found = AddressList(" a, b, c, d", limit=3)
    assert found.header("To", ["1", "2"]) == "To: 1, 2"


@settings(max_examples=300)
@given(st.text(alphabet='ab.@"\\ ()<>é\x01,%![]:;|\t\n', max_size=40))
def test_any_body_can_be_written_again(body: str) -> None:
    found = AddressList(body)
    header = found.header("To", ["new@example.com"] * len(found.addresses))
    if found.addresses:
        assert header is not None and header.count("new@example.com") >= len(found.addresses)


def test_long_input_takes_no_longer() -> None:
    """Neither reader goes back again and again."""
    start = time.process_time()
    for piece in ("a ", '"', "(", "<", "a@", "a@b.c,", '"x" ', "\\", "[", "a.", "a@b;", "a:"):
        AddressList(" " + piece * 10000)
    assert time.process_time() - start < 10
