from __future__ import annotations

import pytest

from pyfix.formats.records import TEXT, UNTERMINATED, read_records
from pyfix.protocols.smtp.data import ChunkDecoder, DataDecoder

LIMIT = 20


def decoded(content: bytes, *, strict: bool = True, reject: bool = False) -> tuple[list[tuple[int, bytes]], DataDecoder]:
    decoder = DataDecoder(LIMIT, strict=strict, reject=reject)
    records = decoder.feed(content)
    return [(record.kind, record.data) for record in read_records(records)], decoder


def lines(content: bytes, **named: bool) -> list[bytes]:
    records, _ = decoded(content, **named)
    assert all(kind == TEXT for kind, _ in records)
    return [data for _, data in records]


@pytest.mark.parametrize("strict", [True, False])
def test_the_end(strict: bool) -> None:
    records, decoder = decoded(b"a\r\n\r\n..b\r\n.c\r\n.\r\nQUIT\r\n", strict=strict)
    assert records == [(TEXT, b"a"), (TEXT, b""), (TEXT, b".b"), (TEXT, b"c")]
    assert decoder.ended and decoder.rest == b"QUIT\r\n"
    assert decoder.size == 3 + 2 + 4 + 3
    assert decoded(b".\r\nx", strict=strict)[1].rest == b"x"


@pytest.mark.parametrize("content", [b"x\n.\n", b"x\n.\r\n", b"x\r\n.\n", b".\n", b"x\r\n.\r\r\n"])
def test_only_one_end_when_strict(content: bytes) -> None:
    assert not decoded(content)[1].ended
    assert decoded(content, strict=False)[1].ended


def test_bare_newlines() -> None:
    assert lines(b"a\nb\r\n.\nc\r\n.\r\n") == [b"a", b"b", b"c"]
    assert decoded(b"a\n.x\r\n")[1].bare_newline
    assert lines(b"a\r\nb\nc\r\n.\r\n", reject=True) == [b"a"]
    assert lines(b"a\r\r\n.\r\n") == [b"a\r"]
    assert lines(b"a\r\r\n.\r\n", strict=False) == [b"a"]


@pytest.mark.parametrize(
    ("length", "records"),
    [(19, [(TEXT, 19)]), (20, [(UNTERMINATED, 20), (TEXT, 0)]), (41, [(UNTERMINATED, 20)] * 2 + [(TEXT, 1)])],
)
def test_long_lines(length: int, records: list[tuple[int, int]]) -> None:
    found, decoder = decoded(b"y\r\n" + b"x" * length + b"\r\n.\r\n")
    assert [(kind, len(data)) for kind, data in found[1:]] == records
    assert decoder.size == 3 + length + 2 * len(records)


def test_dot_counts_for_the_first_piece() -> None:
    found, _ = decoded(b"." + b"x" * 30 + b"\r\n.\r\n")
    assert [(kind, len(data)) for kind, data in found] == [(UNTERMINATED, 19), (TEXT, 11)]


def test_endless_line_stays_small() -> None:
    decoder = DataDecoder(LIMIT, strict=True)
    total = 0
    for _ in range(50):
        total += len(decoder.feed(b"x" * 5000))
        assert len(decoder._carry) < 70_000
    records = decoder.feed(b"\r\n.\r\n")
    assert decoder.ended and total > 200_000 and records


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"From a\r\n", [(UNTERMINATED, b"X-Mailbox-Line: "), (TEXT, b"From a")]),
        (b">>From a\r\n", [(UNTERMINATED, b"X-Mailbox-Line: "), (TEXT, b">>From a")]),
        (b" a\r\n", [(TEXT, b""), (TEXT, b" a")]),
        (b". a\r\n", [(TEXT, b" a")]),
        (b"from a\r\n", [(TEXT, b"from a")]),
    ],
)
def test_first_line(content: bytes, records: list[tuple[int, bytes]]) -> None:
    assert decoded(content + b".\r\n")[0] == records


def chunks(*parts: bytes, strict: bool = True) -> tuple[list[tuple[int, bytes]], ChunkDecoder]:
    decoder = ChunkDecoder(LIMIT, strict=strict)
    records = b"".join([decoder.feed(part) for part in parts]) + decoder.finish()
    return [(record.kind, record.data) for record in read_records(records)], decoder


def test_chunks() -> None:
    records, decoder = chunks(b"ab\ncd\r", b"\n.\r\n")
    assert records == [(TEXT, b"ab"), (TEXT, b"cd"), (TEXT, b".")]
    assert decoder.size == 11 and decoder.bare_newline
    assert chunks(b"..\r")[0] == [(TEXT, b"..\r")]
    assert chunks(b"x" * 20)[0] == [(UNTERMINATED, b"x" * 20)]
    assert chunks(b"x" * 21)[0] == [(UNTERMINATED, b"x" * 20), (TEXT, b"x")]
    assert chunks(b"a\r\r\n", strict=False)[0] == [(TEXT, b"a")]
    assert chunks(b"")[0] == []
