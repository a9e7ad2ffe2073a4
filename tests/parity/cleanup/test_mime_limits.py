"""MIME that is too deep, or in an encoding that it must not have: both cleanups refuse the same."""

from __future__ import annotations

import pytest

from .side import Compare
from .test_content import message

pytestmark = pytest.mark.reference

LOOKED_AT = 2 | 4 | 16 | 32
REASONS: list[dict[str, str]] = [
    {},
    {"header_checks": "static:WARN", "mime_header_checks": "", "nested_header_checks": ""},
    {"mime_header_checks": "static:WARN"},
    {"nested_header_checks": "static:WARN"},
    {"body_checks": "static:WARN"},
    {"strict_7bit_headers": "yes"},
    {"force_mime_input_conversion": "yes", "strict_mime_encoding_domain": "yes"},
]


@pytest.mark.parametrize("main", REASONS)
def test_depth(compare: Compare, main: dict[str, str]) -> None:
    """Only where somebody looks at headers of parts does it matter that some were not found."""
    for flags in (LOOKED_AT, LOOKED_AT & ~2):
        for depth in (6, 7, 8):
            inner = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth))
            compare(message(inner + b"Content-Transfer-Encoding: 8bit\n\nx\n"), flags, main={"mime_nesting_limit": "5", **main})


@pytest.mark.parametrize("encoding", [b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable"])
@pytest.mark.parametrize(
    "content_type",
    [b"message/" + kind for kind in (b"global", b"rfc822", b"partial", b"external-body", b"delivery-status")]
    + [b"multipart/mixed", b"multipart/mixed; boundary=c"],
)
def test_encoding_domains(compare: Compare, content_type: bytes, encoding: bytes) -> None:
    part = b"Content-Type: " + content_type + b"\nContent-Transfer-Encoding: " + encoding + b"\n\nSubject: x\n\nx\n"
    for text in (part, b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + part):
        compare(message(text), LOOKED_AT, main={"strict_mime_encoding_domain": "yes"})
