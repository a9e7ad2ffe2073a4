from __future__ import annotations

from OpenSSL import SSL

from pyfix.tls.options import ALL_WORKAROUNDS, SSL_OPTIONS, WORKAROUNDS, option_bits


def test_words() -> None:
    assert option_bits(["no_ticket", "0x10", "x"], SSL_OPTIONS) == (1 << 14 | 0x10, ("x",))
    assert option_bits(["CVE-2010-4180", "TLSEXT_PADDING"], WORKAROUNDS) == (1 << 4, ())


def test_the_numbers_are_the_librarys() -> None:
    assert SSL_OPTIONS["NO_TICKET"] == SSL.OP_NO_TICKET
    assert SSL_OPTIONS["NO_COMPRESSION"] == SSL.OP_NO_COMPRESSION
    assert WORKAROUNDS["DONT_INSERT_EMPTY_FRAGMENTS"] == SSL.OP_DONT_INSERT_EMPTY_FRAGMENTS
    assert SSL.OP_ALL | WORKAROUNDS["CRYPTOPRO_TLSEXT_BUG"] == ALL_WORKAROUNDS | SSL.OP_ALL
