"""Whatever a client sends, the SMTP parsers answer: no crash, no hang, and no difference by how the bytes arrive."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.records import TEXT, UNTERMINATED, read_records
from pyfix.protocols.smtp.clientinfo import parse_xclient, parse_xforward
from pyfix.protocols.smtp.command import BadSyntax, CommandError, Word, command_text, split_words
from pyfix.protocols.smtp.data import ChunkDecoder, DataDecoder
from pyfix.protocols.smtp.parameters import parse_mail_parameters, parse_rcpt_parameters
from pyfix.protocols.smtp.path import parse_path

LINES = st.text(st.sampled_from(' \tab:<>"\\@,;()[]%!=+.\u00e9\x00\x7f'), max_size=40)
CONTENT = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"..", b"x", b"abc", b"\r\n.", b"\r\n.\r\n", b"x" * 25, b"From a", b" "]),
    max_size=40,
).map(b"".join)
LIMIT = 20


@given(st.binary(max_size=200), st.booleans())
def test_lines(raw: bytes, utf8: bool) -> None:
    with contextlib.suppress(BadSyntax):
        split_words(command_text(raw, utf8=utf8))


@given(LINES)
def test_words_lose_nothing_but_blanks(line: str) -> None:
    blanks = str.maketrans("", "", " \t\n\r\v\f")
    found = "".join(word.text for word in split_words(line))
    assert found.translate(blanks) == line.translate(blanks)


@given(LINES, st.booleans())
def test_paths(text: str, strict: bool) -> None:
    address = parse_path(text, strict=strict)
    assert address is None or isinstance(address, str)


@given(st.lists(LINES, max_size=4))
def test_parameters(texts: list[str]) -> None:
    words = [Word(text) for text in texts]
    for parse in (
        lambda: parse_mail_parameters(words, smtputf8=True, verp_filter="-=+"),
        lambda: parse_rcpt_parameters(words),
        lambda: parse_xclient(words, {}, ipv6=True),
        lambda: parse_xforward(words, {}, ipv6=True),
    ):
        with contextlib.suppress(CommandError):
            parse()


@given(
    st.sampled_from(["SIZE=", "RET=", "ENVID=", "AUTH=", "NOTIFY=", "ORCPT=", "ORCPT=utf-8;", "NAME=", "ADDR=", "PORT="]),
    st.text(max_size=20),
)
def test_values(keyword: str, value: str) -> None:
    test_parameters.hypothesis.inner_test([keyword + value])


def data(parts: list[bytes], strict: bool, reject: bool) -> tuple[bytes, int, bool, bytes]:
    decoder = DataDecoder(LIMIT, strict=strict, reject=reject)
    records = b""
    for position, part in enumerate(parts):
        records += decoder.feed(part)
        if decoder.ended:
            return records, decoder.size, True, decoder.rest + b"".join(parts[position + 1 :])
    return records, decoder.size, False, b""


def cut(content: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({place % (len(content) + 1) for place in cuts})
    return [content[start:end] for start, end in zip([0, *places], [*places, len(content)], strict=True)]


@settings(max_examples=300)
@given(CONTENT, st.lists(st.integers(0, 10_000), max_size=6), st.booleans())
def test_data_however_it_arrives(content: bytes, cuts: list[int], strict: bool) -> None:
    content += b"\r\n.\r\nrest"
    whole = data([content], strict, False)
    assert whole[2]
    assert data(cut(content, cuts), strict, False) == whole


def plainly(content: bytes, strict: bool) -> tuple[list[bytes], bytes]:
    """Decode line by line, in the simplest way."""
    found: list[bytes] = []
    after_crlf = True
    while True:
        raw, newline, content = content.partition(b"\n")
        assert newline
        crlf = raw.endswith(b"\r")
        line = raw.removesuffix(b"\r") if strict else raw.rstrip(b"\r")
        if line == b".":
            if not strict or (crlf and after_crlf):
                return found, content
        else:
            found.append(line[1:] if line.startswith(b".") else line)
        after_crlf = crlf


@settings(max_examples=300)
@given(CONTENT, st.booleans())
def test_data_is_what_it_says(content: bytes, strict: bool) -> None:
    content = b"x\r\n" + content + b"\r\n.\r\n"
    lines, rest = plainly(content, strict)
    records, _, ended, after = data([content], strict, False)
    assert ended and after == rest
    found = b""
    for record in read_records(records):
        assert record.kind in (TEXT, UNTERMINATED)
        assert len(record.data) <= LIMIT
        found += record.data + (b"\n" if record.kind == TEXT else b"")
    assert found == b"".join(line + b"\n" for line in lines)


@given(CONTENT, st.lists(st.integers(0, 10_000), max_size=6), st.booleans())
def test_chunks_however_they_are_cut(content: bytes, cuts: list[int], strict: bool) -> None:
    results = []
    for parts in ([content], cut(content, cuts)):
        decoder = ChunkDecoder(LIMIT, strict=strict)
        records = b"".join([decoder.feed(part) for part in parts]) + decoder.finish()
        results.append((records, decoder.size, decoder.bare_newline))
    assert results[0] == results[1]
