"""force_mime_input_conversion: both cleanups make the same of content in 8 bits, and of what says so."""

from __future__ import annotations

import pytest

from .side import Compare, record
from .test_content import message

pytestmark = pytest.mark.reference

CONVERTED = {"force_mime_input_conversion": "yes"}
LOOKED_AT = 2 | 4 | 16 | 32
E8 = "\u00e9".encode()
CTE = b"Content-Transfer-Encoding: "
MIXED = b"Content-Type: multipart/mixed; boundary=b\n"
DIGEST = b"Content-Type: multipart/digest; boundary=b\n"
PART = b"--b\n" + CTE + b"8bit\n\n" + E8 + b"\n"
INSIDE = b"Subject: " + E8 + b"\n" + CTE + b"8bit\n\nx " + E8 + b"\n"

CONTENTS = {
    "no MIME": b"Subject: x\n\nHi " + E8 + b"\n",
    "7bit": CTE + b"7bit\n\n" + E8 + b"=\n",
    "8bit": b"MIME-Version: 1.0\n" + CTE + b"8bit\nX: y\n\nHi " + E8 + b"=\n.\nfoo \nbar\t\n\n",
    "8bit and all ASCII": CTE + b"8bit\nX: y\n\nHi\nfoo=\n",
    "binary": CTE + b"binary\n\na\0\x01\x7f" + E8 + b"\r\nxx\rb\r\n",
    "base64": CTE + b"base64\n\n" + E8 + b"=\n",
    "comments": CTE + b"(c) 8BIT (x); foo\n\n" + E8 + b"\n",
    "folded": b"content-transfer-encoding:\n 8bit\nX: y\n\n" + E8 + b"\n",
    "NUL": CTE + b"8bit\0x\nX: y\n\n" + E8 + b"\n",
    "unknown": CTE + b"x-foo\n\n" + E8 + b"\n",
    "unknown after it": CTE + b"8bit\n" + CTE + b"x-foo\n\n" + E8 + b"\n",
    "base64 after it": CTE + b"8bit\n" + CTE + b"base64\n\n" + E8 + b"\n",
    "base64 before it": CTE + b"base64\n" + CTE + b"8bit\n\n" + E8 + b"\n",
    "8-bit headers": b"Subject: " + E8 + b"\nTo: " + E8 + b" <a@b>\n" + CTE + b"8bit\nX: y\n\nS\n",
    "no empty line": CTE + b"8bit\nbody " + E8 + b"\nmore\n",
    "no body": CTE + b"8bit\n",
    "width": CTE + b"8bit\n\n" + b"\n".join([b"x" * width + end for width in range(69, 78) for end in (b"", b" ", b"\t", b"=", E8)]) + b"\n",
    "long lines": CTE + b"8bit\n\n" + b"x" * 5000 + b"\n" + E8 * 3000 + b"\nend\n",
    "parts": MIXED + CTE + b"8bit\n\npre " + E8 + b"\n" + PART + b"--b\n\nplain\n--b\n" + CTE + b"base64\n\nab" + E8 + b"\n--b--\nepi " + E8 + b"\n",
    "8-bit parts of a 7-bit whole": MIXED + b"\npre\n" + PART + PART + b"--b--\nepi\n",
    "the outer header comes later": CTE + b"8bit\n" + MIXED + b"\n" + E8 + b"\n" + PART + b"--b--\n",
    "no boundary": b"Content-Type: multipart/mixed\n" + CTE + b"8bit\n\n" + E8 + b"\n",
    "multipart without its empty line": MIXED + CTE + b"8bit\nno header " + E8 + b"\n" + PART,
    "alternatives": MIXED + CTE + b"8bit\n\n--b\nContent-Type: multipart/alternative; boundary=c\n" + CTE + b"8bit\n\npre\n--c\n"
    + CTE + b"8bit\n\n" + E8 + b"\n--c\n\nx\n--c--\n--b\nContent-Type: message/rfc822\n" + CTE + b"8bit\n\n" + INSIDE + b"--b--\n",
    "digest": DIGEST + b"\n--b\n" + CTE + b"8bit\n\n" + INSIDE + b"--b\n\n" + INSIDE + b"--b--\n",
    "parts without their empty lines": MIXED + b"\n--b\nContent-Type: message/rfc822\n" + CTE + b"8bit\nno header " + E8 + b"\n--b\n"
    + CTE + b"8bit\nno header " + E8 + b"\n--b--\n",
    "long boundary": MIXED + b"\n" + PART + b"--b" + b"z" * 3000 + b"\n\n" + E8 + b"\n",
    "two types": MIXED + b"Content-Type: text/plain\n" + CTE + b"8bit\n\n" + E8 + b"\n" + PART,
    "deep": b"".join(CTE + b"8bit\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(110)) + INSIDE,
    **{
        f"message/{kind.decode()} in {encoding.decode()}": b"Content-Type: message/" + kind + b"\n" + CTE + encoding + b"\n\n" + INSIDE
        for kind in (b"rfc822", b"global", b"partial", b"external-body", b"delivery-status", b"")
        for encoding in (b"7bit", b"8bit", b"base64")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("flags", [LOOKED_AT, LOOKED_AT & ~2 | 1024])
def test_contents(compare: Compare, name: str, flags: int) -> None:
    compare(message(CONTENTS[name]), flags, main=CONVERTED)


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize(
    "more",
    [
        {"strict_mime_encoding_domain": "yes", "strict_8bitmime": "yes", "cleanup_replace_stray_cr_lf": "no"},
        {"header_checks": "static:WARN", "body_checks": "static:WARN", "message_drop_headers": "content-transfer-encoding"},
    ],
)  # fmt: skip
def test_with_other_looks_at_content(compare: Compare, name: str, more: dict[str, str]) -> None:
    compare(message(CONTENTS[name]), LOOKED_AT, main=CONVERTED | more)


def test_what_the_client_says_of_the_encoding_stays(compare: Compare) -> None:
    start = record("T", "1795400000 1") + record("A", "encoding=8bit") + record("S", "s@client.example")
    compare(message(CONTENTS["8bit"], start), LOOKED_AT, main=CONVERTED)


PIECES = {
    "unterminated": record("L", "tail\xe9"),
    "empty": record("L"),
    "two": record("L", "x" * 80) + record("L", " "),
    "end of a line": record("L", "x" * 3000) + record("N", " "),
    "boundary": record("L", "x") + record("N", "--b"),
    "boundary in pieces": record("L", "--b") + record("N"),
    "empty line of a header": record("N", "--b") + record("N", "Content-Transfer-Encoding: 8bit") + record("L") + record("N", "x"),
    "header in pieces": record("N", "--b") + record("L", "Content-Transfer-Enc") + record("N", "oding: 8bit") + record("L"),
}


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("main", [CONVERTED, {}])
@pytest.mark.parametrize("head", [b"", MIXED + b"\n--b\n"])
@pytest.mark.parametrize("encoding", [b"8bit", b"7bit"])
def test_lines_in_pieces(compare: Compare, name: str, main: dict[str, str], head: bytes, encoding: bytes) -> None:
    stream = message(head + CTE + encoding + b"\n\nxx\n")
    end = record("X") + record("E")
    compare(stream.removesuffix(end) + PIECES[name] + end, main=main)


@pytest.mark.parametrize(
    "last",
    [record("L"), record("L") + record("L"), record("L", "Subject: a"), record("L", "Subject: a") + record("L"), record("N") + record("L")],
)
@pytest.mark.parametrize("head", [b"", b"Content-Type: message/rfc822\n", b"Content-Type: message/rfc822\n\n", MIXED + b"\n--b\n"])
def test_the_end_within_a_header(compare: Compare, head: bytes, last: bytes) -> None:
    end = record("X") + record("E")
    compare(message(head).removesuffix(end) + last + end)
