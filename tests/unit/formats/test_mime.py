from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats import mime
from pyfix.formats.header import KnownHeader
from pyfix.formats.mime import MimeError, MimeParser

N, L = 0x4E, 0x4C
Line = bytes | tuple[int, bytes]


class Sink:
    """Writes down what it is given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.lines: list[bytes] = []
        self.errors: list[MimeError] = []

    def header(self, checks: str, known: KnownHeader | None, name: bytes, body: bytes, state: int) -> None:
        self.seen.append((checks, name + b":" + body))
        self.lines += (name + b":" + body).split(b"\n")

    def header_end(self) -> None:
        self.seen.append(("end", b""))

    def body(self, kind: int, data: bytes) -> None:
        self.seen.append(("body", data))
        self.lines.append(data)

    def mime_error(self, error: MimeError, text: bytes) -> None:
        self.errors.append(error)


def parse(*lines: Line, **options: int) -> tuple[Sink, MimeParser]:
    sink = Sink()
    parser = MimeParser(sink, **options)  # type: ignore[arg-type]  # keywords of any type
    for line in lines:
        parser.feed(*(line if isinstance(line, tuple) else (N, line)))
    parser.end()
    return sink, parser


def kinds(sink: Sink) -> list[str]:
    return [kind for kind, data in sink.seen if data]


def test_simple_message() -> None:
    sink, parser = parse(b"Subject : x", b"\ty", b"To:z", b"", b"body")
    assert sink.seen == [
        ("header", b"Subject: x\n\ty"), ("header", b"To:z"), ("end", b""), ("body", b""), ("body", b"body"),
    ]  # fmt: skip
    assert parser.opaque


def test_message_without_body() -> None:
    assert parse(b"Subject: x")[0].seen == [("header", b"Subject: x"), ("end", b"")]


def test_missing_empty_line_is_added_after_the_primary_header() -> None:
    assert parse(b"Subject: x", b"no header", b"Foo: x")[0].lines == [b"Subject: x", b"", b"no header", b"Foo: x"]


@pytest.mark.parametrize("line", [b"From me at there", b": x", b"a b: c", b"Sub\xe9ject: x"])
def test_what_is_no_header(line: bytes) -> None:
    assert parse(line)[0].seen == [("end", b""), ("body", b""), ("body", line)]


def test_blank_continuation_lines_stay_in_the_header() -> None:
    assert parse(b"Subject: x", b" ", b"\t", b"X: y", b"", b"b")[0].lines == [
        b"Subject: x",
        b" ",
        b"\t",
        b"X: y",
        b"",
        b"b",
    ]


def test_long_lines_come_in_pieces() -> None:
    sink, _ = parse((L, b"X-Long: aaa"), b"bbb", b"", (L, b"body"), b"more")
    assert sink.seen[0] == ("header", b"X-Long: aaabbb")
    assert sink.lines[1:] == [b"", b"body", b"more"]


def test_header_limit() -> None:
    """Lines are taken until the limit is reached, the last one whole; the next header is there again.  Source: postconf(5) header_size_limit."""
    sink, _ = parse(b"X: " + b"a" * 10, b" " + b"b" * 10, b" " + b"c" * 10, b"Y: z", header_limit=20)
    assert sink.lines == [b"X: aaaaaaaaaa", b" bbbbbbbbbb", b"Y: z"]


def test_multipart() -> None:
    sink, parser = parse(
        b'Content-Type: multipart/mixed; boundary="x"', b"", b"preamble: 1", b"--x", b"X-A: 1", b"", b"text", b"--xy",
        b"X-B: 2", b"garbage", b"X-C: 3", b"--x--", b"epi: logue", b"--x", b"X-D: 4",
    )  # fmt: skip
    assert kinds(sink) == [
        "mime", "body", "body", "mime", "body", "body", "mime", "body", "body", "body", "body", "body", "body",
    ]  # fmt: skip
    assert parser.opaque


def test_nested_message() -> None:
    sink, _ = parse(
        b"Content-Type: Message/RFC822", b"", b"X-N: 1", b"MIME-Version: 1.0", b"Content-Type: message/rfc822", b"",
        b"X-M: 2", b"", b"X-B: 3",
    )  # fmt: skip
    assert kinds(sink) == ["mime", "nested", "mime", "mime", "nested", "body"]


def test_digest_has_messages() -> None:
    sink, _ = parse(
        b"Content-Type: multipart/digest; boundary=x", b"", b"--x", b"", b"X-N: 1", b"", b"b", b"--x",
        b"Content-Type: text/plain", b"", b"X-B: 2",
    )  # fmt: skip
    assert kinds(sink) == ["mime", "body", "nested", "body", "body", "mime", "body"]


def test_outer_boundary_ends_inner_parts() -> None:
    sink, parser = parse(
        b"Content-Type: multipart/mixed; boundary=x", b"", b"--x", b"Content-Type: multipart/mixed; boundary=y", b"",
        b"--y", b"X-M: 1", b"", b"--x", b"X-M: 2", b"", b"--y", b"X-B: 1",
    )  # fmt: skip
    assert kinds(sink)[-4:] == ["body", "mime", "body", "body"]
    assert parser.boundaries == [b"x"]


@pytest.mark.parametrize(
    "value, boundary",
    [
        (b"multipart/mixed;boundary=x", b"x"), (b"MULTIPART/MIXED; BOUNDARY=x", b"x"),
        (b"multipart/mixed; foo=bar; boundary=x", b"x"), (b"multipart/mixed; boundary = x", b"x"),
        (b"multipart/mixed (c); (d) boundary=(e)x", b"x"), (b"multipart / mixed; boundary=x", b"x"),
        (b"multipart/mixed boundary=x", None), (b"multipart; boundary=x", b"x"), (b"multipart/; boundary=x", b"x"),
        (b"multipart/mixed; boundary=x; boundary=y", b"x"), (b'multipart/mixed; boundary="x y"', b"x y"),
        (b"multipart/mixed; boundary=", None), (b'multipart/mixed; boundary=""', b""),
        (b'multipart/mixed; name="a;b"; boundary=x', b"x"), (b"multipart/mixed; boundary=x y", b"x"),
        (b"multipart/mixed, boundary=x", None), (b"multipart/mixed; a; boundary=x", b"x"),
        (b"multipart/mixed; boundary*=x", None), (b'multipart/mixed; boundary="\\x"', b"x"),
        (b"multipart/mixed; boundary=x.y", b"x.y"), (b"multipart/mixed; =; boundary=x", b"x"),
        (b'"multipart"/mixed; boundary=x', None), (b"text/plain; boundary=x", None),
    ],
)  # fmt: skip
def test_content_type(value: bytes, boundary: bytes | None) -> None:
    """What cleanup took for the boundary of each of these."""
    _, parser = parse(b"Content-Type: " + value, b"")
    assert parser.boundaries == ([] if boundary is None else [boundary])


def test_boundary_limit() -> None:
    _, parser = parse(b"Content-Type: multipart/mixed; boundary=" + b"x" * 30, boundary_limit=20)
    assert parser.boundaries == [b"x" * 20]


@pytest.mark.parametrize("levels, error", [(6, None), (7, mime.NESTING)])
def test_nesting_limit(levels: int, error: MimeError | None) -> None:
    """With mime_nesting_limit = 4 cleanup took six multiparts inside each other and refused the seventh."""
    lines: list[bytes] = []
    for level in range(levels):
        lines += [b"Content-Type: multipart/mixed; boundary=b%d" % level, b"", b"--b%d" % level]
    assert parse(*lines, nesting_limit=4)[1].error == error


@pytest.mark.parametrize(
    "lines, error",
    [
        ([b"Subject: \xe9"], mime.HEADER_8BIT),
        ([b"Content-Type: multipart/mixed; boundary=x", b"", b"--x", b"X: \xe9"], mime.HEADER_8BIT),
        ([b"", b"\xe9"], mime.BODY_8BIT),
        ([b"Content-Transfer-Encoding: 7bit", b"", b"\xe9"], mime.BODY_8BIT),
        ([b"Content-Transfer-Encoding: x-foo", b"", b"\xe9"], mime.BODY_8BIT),
        ([b'Content-Transfer-Encoding: "8bit"', b"", b"\xe9"], mime.BODY_8BIT),
        ([b"Content-Transfer-Encoding: 8BIT (c)", b"", b"\xe9"], None),
        ([b"Content-Transfer-Encoding: binary", b"", b"\xe9"], None),
        ([b"Content-Transfer-Encoding: base64", b"", b"\xe9"], None),
        ([b"Content-Type: multipart/x; boundary=x", b"Content-Transfer-Encoding: base64"], mime.ENCODING_DOMAIN),
        ([b"Content-Type: multipart/x; boundary=x", b"Content-Transfer-Encoding: 8bit"], None),
        ([b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: quoted-printable"], mime.ENCODING_DOMAIN),
        ([b"Content-Type: message/partial", b"Content-Transfer-Encoding: quoted-printable"], None),
        ([b"Content-Type: message/partial", b"Content-Transfer-Encoding: 8bit"], mime.ENCODING_DOMAIN),
        ([b"Content-Type: message/external-body", b"Content-Transfer-Encoding: 8bit"], mime.ENCODING_DOMAIN),
        ([b"Content-Type: message/delivery-status", b"Content-Transfer-Encoding: 8bit"], None),
    ],
)
def test_errors(lines: list[bytes], error: MimeError | None) -> None:
    """Source: postconf(5) strict_7bit_headers, strict_8bitmime_body, strict_mime_encoding_domain."""
    _, parser = parse(*lines, b"", strict_header=True, strict_body=True, strict_domain=True)
    assert parser.error == error
    assert parse(*lines, b"")[1].error is None


def test_an_error_is_reported_once_and_the_most_serious_decides() -> None:
    sink, parser = parse(
        b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64", b"X: \xe9", b"X: \xe8", b"",
        strict_header=True, strict_domain=True,
    )  # fmt: skip
    assert sink.errors == [mime.HEADER_8BIT, mime.ENCODING_DOMAIN]
    assert parser.error == mime.HEADER_8BIT


def test_disabled() -> None:
    """Source: postconf(5) disable_mime_input_processing."""
    sink, parser = parse(b"Content-Type: message/rfc822", b"", b"X: y", disabled=True, strict_header=True)
    assert kinds(sink) == ["header", "body"]
    assert parser.opaque


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from([
            b"", b"X: a", b" c", b"text", b"--x", b"--x--", b"--y", b"Content-Type: multipart/mixed; boundary=x",
            b"Content-Type: multipart/digest; boundary=y", b"Content-Type: message/rfc822", b"Content-Type: (", b"\xe9",
        ]),
        max_size=20,
    )
)  # fmt: skip
def test_no_line_is_lost(lines: list[bytes]) -> None:
    """All lines come out in their order; at most one empty line is added."""
    found = parse(*lines)[0].lines
    if len(found) > len(lines):
        index = next(i for i, line in enumerate(found) if i >= len(lines) or line != lines[i])
        assert found.pop(index) == b""
    assert found == lines


def test_conversion() -> None:
    """Text in 8 bits is converted, part by part, and the headers say so.  Source: postconf(5) force_mime_input_conversion."""
    sink, parser = parse(
        b"Content-Type: multipart/mixed; boundary=x", b"Content-Transfer-Encoding: 8bit", b"", b"\xe9", b"--x",
        b"Content-Transfer-Encoding: binary", b"X-A: 1", b"", (L, b"a"), b"=\xe9", b"--x", b"", b"\xe9=", b"--x--",
        convert=True,
    )  # fmt: skip
    assert sink.lines == [
        b"Content-Type: multipart/mixed; boundary=x", b"Content-Transfer-Encoding: 7bit", b"", b"\xe9", b"--x", b"X-A: 1",
        b"Content-Transfer-Encoding: quoted-printable", b"", b"a=3D=E9", b"--x", b"", b"\xe9=", b"--x--",
    ]  # fmt: skip
    assert parser.opaque


def test_what_is_left_of_a_converted_line_comes_at_the_end() -> None:
    sink, parser = parse(b"Content-Transfer-Encoding: 8bit", b"", (L, b"\xe9"), convert=True)
    assert sink.lines[-1] == b"=E9"
    assert parser.converting and not parser.opaque


def test_no_conversion_where_parts_are_not_looked_for() -> None:
    text = [b"Content-Transfer-Encoding: 8bit", b"", b"\xe9"]
    assert parse(*text, convert=True, disabled=True)[0].lines == text
