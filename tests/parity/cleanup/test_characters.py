"""Characters that are removed or refused, and headers without an end: both cleanups make the same of them."""

from __future__ import annotations

import pytest

from .side import Compare, lines, record
from .test_content import CONTENTS, message

pytestmark = pytest.mark.reference

LOOKED_AT = 2 | 4 | 16 | 32
"""Flags of mail from outside."""
EVERY_BYTE = b"Subject: x\n\n" + b"\n".join(b"<%c>" % byte for byte in range(256) if byte != 0x0A) + b"\n"
FORMS = [r"\0", r"\a\b\f\r\t\v\\", r"\18\101", r"\1015\400", r"\q\x", r"abc", r"\n", r"\00\001\0002", "\u00e9", "]^-", "a\\"]
PLACES = {
    "name of a header": b"Sub\x07ject: x\n\nHi\n",
    "header": b"Subject: x\x07y\nTo: a\n\nHi\n",
    "address": b"To: a\x07b <c\x07@d>\n\nHi\n",
    "folded": b"Subject: x\n \x07y\n\nHi\n",
    "first byte": b"\x07Subject: x\n\x07 y: z\n\nHi\n",
    "all of a line": b"Subject: x\n\x07\x07\nHi\n\x07\n",
    "body": b"Subject: x\n\nHi\nthe\x07re\n",
    "boundary": b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=abc\n\n--a\x07bc\n"
    b"Content-Transfer-Encoding: 8bit\n\nx\n",
    "part": b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=abc\n\n--abc\nSubject: \x07x\n\nx\n--abc--\n",
    "nowhere": b"Subject: x\n\nHi\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_ways_to_write_them(compare: Compare, form: str) -> None:
    compare(message(EVERY_BYTE), LOOKED_AT, main={"message_strip_characters": form})


@pytest.mark.parametrize("form", [r"\0", r"\1015\400", "]^-"])
def test_the_first_that_is_refused(compare: Compare, form: str) -> None:
    seen = compare(message(EVERY_BYTE), LOOKED_AT, main={"message_reject_characters": form})
    assert seen.mode is None


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", ["message_strip_characters", "message_reject_characters"])
def test_where_they_stand(compare: Compare, what: str, place: str) -> None:
    seen = compare(message(PLACES[place]), LOOKED_AT, main={what: r"\a"})
    refused = what == "message_reject_characters" and place != "nowhere"
    assert (seen.mode is None) is refused


def test_both_and_a_line_in_pieces(compare: Compare) -> None:
    main = {"message_strip_characters": r"\a\0", "message_reject_characters": r"\b\0"}
    for text in (b"a\x07", b"a\x08", b"a\x00", b"a\x07\x08"):
        pieces = record("L", b"x" * 2000 + text) + record("N", text)
        stream = message(b"Subject: x\n\n").replace(record("X"), pieces + record("X"), 1)
        compare(stream, LOOKED_AT, main=main)


def test_mail_that_is_not_looked_at(compare: Compare) -> None:
    for place in PLACES.values():
        for what in ("message_strip_characters", "message_reject_characters"):
            seen = compare(message(place), LOOKED_AT & ~2, main={what: r"\a"})
            assert seen.mode is not None


ENDS = {
    "text": CONTENTS["no end of header"],
    "at once": b"no header\n\nmore\n",
    "blank": b"Subject: x\n\ty\nno header\n",
    "message ends": b"Subject: x\n",
    "nothing": b"",
    "empty line": b"Subject: x\n\nx\n",
    "long": b"Subject: x\n" + b"z" * 3000 + b"\n",
    "NUL": b"Subject: x\nz\0z\n",
    "colon": b"Subject: x\n: y\n",
    "has a MIME-Error": b"MIME-Error: x\nno header\n",
    "part": b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=abc\n\n--abc\nno header\n--abc--\n",
    "inner": b"Content-Type: message/rfc822\n\nno header\n",
    "8bit": b"Subject: \xc3\xa9\n\xc3\xa9\n",
    "resent": b"Resent-To: a@b\nno header\n",
    "no hops": b"",
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("action", ["fix_quietly", "add_header", "reject"])
@pytest.mark.parametrize("flags", [LOOKED_AT, LOOKED_AT & ~2])
@pytest.mark.parametrize("strict", ["no", "yes"])
def test_header_without_its_end(compare: Compare, name: str, action: str, flags: int, strict: str) -> None:
    stream = message(ENDS[name])
    if name == "no hops":
        stream = stream.replace(lines(b"Received: by x (y)"), b"")
    compare(stream, flags, main={"non_empty_end_of_header_action": action, "strict_8bitmime": strict})


STRICT = {"strict_8bitmime": "yes", "strict_mime_encoding_domain": "yes", "mime_nesting_limit": "2", "header_size_limit": "400"}
LONG = b"\xc3\xa9" * 160
REFUSED = {
    "header": b"Subject: " + LONG + b"\n\nx\n",
    "odd length": b"Subject: x" + LONG + b"\n\nx\n",
    "body": b"Subject: x\n\n" + LONG + b"\n",
    "NUL in the body": b"Subject: x\n\n\xc3\xa9\0x\n",
    "NUL in the header": b"Subject: \xc3\xa9\0x\n\n\n",
    "too long": b"Subject: " + b"x" * 500 + b"\n\nx\n",
    "domain": b"Content-Type: message/rfc822" + b" " * 200 + b"\nContent-Transfer-Encoding: base64" + b" " * 200 + b"\n\nx\n",
    "nesting": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d; x=%s\n\n--b%d\n" % (level, b"y" * 250, level) for level in range(5)
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_log_shows_of_a_refused_line(compare: Compare, what: str) -> None:
    seen = compare(message(REFUSED[what]), LOOKED_AT, main=STRICT)
    assert (seen.mode is None) is (what != "too long")  # that one is cut
