"""OpenSSL's options by their names in main.cf.

Source: postconf(5) tls_ssl_options, tls_disable_workarounds; SSL_CTX_set_options(3ssl) for the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["ALL_WORKAROUNDS", "SSL_OPTIONS", "WORKAROUNDS", "option_bits"]

SSL_OPTIONS: Final[Mapping[str, int]] = {
    "LEGACY_SERVER_CONNECT": 1 << 2,
    "NO_TICKET": 1 << 14,
    "NO_SESSION_RESUMPTION_ON_RENEGOTIATION": 1 << 16,
    "NO_COMPRESSION": 1 << 17,
    "ENABLE_MIDDLEBOX_COMPAT": 1 << 20,
    "PRIORITIZE_CHACHA": 1 << 21,
    "NO_RENEGOTIATION": 1 << 30,
}
"""Of tls_ssl_options."""

WORKAROUNDS: Final[Mapping[str, int]] = {
    "CRYPTOPRO_TLSEXT_BUG": 1 << 31,
    "DONT_INSERT_EMPTY_FRAGMENTS": 1 << 11,
    "LEGACY_SERVER_CONNECT": 1 << 2,
    "SAFARI_ECDHE_ECDSA_BUG": 1 << 6,
    "TLSEXT_PADDING": 1 << 4,
    **dict.fromkeys(
        (  # which OpenSSL has given up
            "CVE-2005-2969", "CVE-2010-4180", "MICROSOFT_BIG_SSLV3_BUFFER", "MICROSOFT_SESS_ID_BUG",
            "MSIE_SSLV2_RSA_PADDING", "NETSCAPE_CHALLENGE_BUG", "NETSCAPE_REUSE_CIPHER_CHANGE_BUG",
            "SSLEAY_080_CLIENT_DH_BUG", "SSLREF2_REUSE_CERT_TYPE_BUG", "TLS_BLOCK_PADDING_BUG", "TLS_D5_BUG",
            "TLS_ROLLBACK_BUG",
        ), 0,
    ),
}  # fmt: skip
"""Of tls_disable_workarounds."""

ALL_WORKAROUNDS: Final = 1 << 31 | 1 << 11 | 1 << 6 | 1 << 4
"""What is on unless it is disabled (SSL_OP_ALL)."""

_HEXADECIMAL: Final = re.compile(r"0[xX][0-9a-fA-F]+")


def option_bits(words: Iterable[str], names: Mapping[str, int]) -> tuple[int, tuple[str, ...]]:
    """Return the bits that names and hexadecimal numbers say together, and the words that say nothing."""
    bits = 0
    unknown = []
    for word in words:
        if _HEXADECIMAL.fullmatch(word):
            bits |= int(word, 16)
        elif (known := names.get(word.upper())) is not None:
            bits |= known
        else:
            unknown.append(word)
    return bits, tuple(unknown)
