"""Long input of the kinds that make parsers slow: the time grows with the length, not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pyfix.formats.address import external_to_internal, internal_to_external
from pyfix.formats.address_list import rewrite_addresses
from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.formats.domain import domain_to_ascii, is_hostname
from pyfix.formats.header import split_header
from pyfix.formats.macros import MacroError, expand
from pyfix.formats.mime import MimeParser, content_tokens
from pyfix.formats.records import TEXT, UNTERMINATED, read_records
from pyfix.formats.textforms import XtextError, printable, xtext_decode
from pyfix.formats.tokens import scan
from pyfix.protocols.smtp.command import BadSyntax, CommandError, command_text, split_words
from pyfix.protocols.smtp.data import ChunkDecoder, DataDecoder
from pyfix.protocols.smtp.parameters import parse_mail_parameters, parse_rcpt_parameters
from pyfix.protocols.smtp.path import parse_path
from pyfix.queue.bouncelog import read_entries
from pyfix.queue.message import MessageDamaged, decode_text

LENGTH = 8192
LINE = 4096
"""A command line is cut at line_length_limit, 2048 bytes."""
SECONDS = 0.3
"""Far more than any of them takes; what is quadratic takes ten times as much."""

UNITS = [
    b"a", b" ", b"(", b")", b'"', b"\\", b"<", b">", b"@", b",", b":", b";", b".", b"[", b"]", b"\n", b"\r", b"\r\n", b"\0", b"%",
    b"=", b"+", b"{", b"}", b"$", b"${", b"a ", b"a,", b"a, ", b"a@b,", b"a <a@b>,", b"(a)", b"\\\"", b'" ', b"a.", b".a", b"<a",
    b"a:", b":;", b"a\n ", b"=?", b"\xc3\xa9", b"\xff", b"a=b\n", b"a\0b\0", b"\n\n", b"--b\n", b"\n.\n", b".\r\n", b"N\1a", b"NN",
    b"((a)", b"<@a,", b"!a", b"\t", b" \n", b"\x80", b"+3", b"+41", b"a/", b"recipient=a\n\n", b";a=b", b"a=", b";", b'a="',
]  # fmt: skip
SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "many": lambda run: run,
    "one before": lambda run: b"a" + run,
    "one after": lambda run: run + b"a!",
    "between": lambda run: b"a@b, c" + run + b"<x@y> z",
}


class _Sink:
    def header(self, *_: object) -> None:
        pass

    def header_end(self) -> None:
        pass

    def body(self, kind: int, data: bytes) -> None:
        pass

    def mime_error(self, *_: object) -> None:
        pass


def _mime(data: bytes) -> None:
    parser = MimeParser(_Sink())
    parser.feed(TEXT, b"Content-Type: multipart/mixed; boundary=b")
    parser.feed(TEXT, b"")
    for line in data.split(b"\n"):
        for start in range(0, max(len(line), 1), 2048):
            parser.feed(UNTERMINATED if start + 2048 < len(line) else TEXT, line[start : start + 2048])
    parser.end()


def _mime_header(data: bytes) -> None:
    parser = MimeParser(_Sink())
    parser.feed(TEXT, b"Content-Type: " + data[:1000])
    for start in range(0, len(data), 1000):
        parser.feed(TEXT, b" " + data[start : start + 1000])
    parser.end()


def _data(data: bytes) -> None:
    for piece in (1 << 20, 1000):
        decoder = DataDecoder(2048, strict=False)
        for start in range(0, len(data), piece):
            if not decoder.ended:
                decoder.feed(data[start : start + piece])


def _chunks(data: bytes) -> None:
    for piece in (1 << 20, 1000):
        decoder = ChunkDecoder(2048, strict=True)
        for start in range(0, len(data), piece):
            decoder.feed(data[start : start + piece])
        decoder.finish()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


PARSERS: dict[str, Callable[[bytes], object]] = {
    "tokens": lambda data: scan(_text(data)),
    "address list": lambda data: rewrite_addresses("To", _text(data), lambda address: address + "x"),
    "unquoting": lambda data: external_to_internal(_text(data)),
    "quoting": lambda data: internal_to_external(_text(data)),
    "header": split_header,
    "content type": content_tokens,
    "MIME": _mime,
    "MIME header": _mime_header,
    "DATA": _data,
    "BDAT": _chunks,
    "command": lambda data: split_words(command_text(data, utf8=False)),
    "MAIL": lambda data: parse_mail_parameters(split_words(_text(data)), smtputf8=True, verp_filter="-=+"),
    "RCPT": lambda data: parse_rcpt_parameters(split_words(_text(data))),
    "path": lambda data: (parse_path(_text(data), strict=False), parse_path("<" + _text(data) + ">", strict=True)),
    "xtext": lambda data: xtext_decode(_text(data)),
    "printable": lambda data: printable(_text(data)),
    "host name": lambda data: is_hostname(_text(data)),
    "domain": lambda data: domain_to_ascii(_text(data)),
    "macros": lambda data: expand(_text(data), lambda *_: "x"),
    "pairs": lambda data: (end_of_list(data), decode_pairs(data + b"\0")),
    "records": lambda data: list(read_records(data)),
    "content": decode_text,
    "log": lambda data: list(read_entries(data)),
}
OF_LINES = ("command", "MAIL", "RCPT", "path")
REFUSALS = (
    AttributeListError, BadSyntax, CommandError, MacroError, MessageDamaged, XtextError, ValueError,
)  # fmt: skip


@pytest.mark.parametrize("parser", PARSERS)
def test_time_grows_with_length(parser: str) -> None:
    slow = []
    for shape, build in SHAPES.items():
        for unit in UNITS:
            data = build(unit * ((LINE if parser in OF_LINES else LENGTH) // len(unit)))
            if _taken(parser, data) <= SECONDS:
                continue
            # A busy machine, or too much work: a quarter of the bytes tells.
            whole = min(_taken(parser, data) for _ in range(3))
            part = min(_taken(parser, build(unit * (len(data) // 4 // len(unit)))) for _ in range(3))
            if whole > SECONDS and whole > 7 * part:
                slow.append(f"{shape} {unit!r}: {whole:.1f} s, a quarter of it {part:.2f} s")
                if len(slow) > 3:
                    break
    assert not slow


def _taken(parser: str, data: bytes) -> float:
    """Return the seconds of processor time for one run."""
    start = time.process_time()
    try:
        PARSERS[parser](data)
    except REFUSALS:
        pass
    return time.process_time() - start
