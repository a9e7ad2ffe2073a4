"""Queue-file records: lengths, long lines, damaged input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.records import (
    TEXT,
    UNTERMINATED,
    RecordError,
    encode_attribute,
    encode_length,
    encode_lines,
    encode_record,
    equal_run,
    read_records,
    text_of_run,
)


def test_short_and_long_lengths() -> None:
    assert encode_record(TEXT, b"Hello") == b"N\x05Hello"
    assert encode_record(TEXT) == b"N\0"
    assert encode_record(TEXT, b"x" * 128)[:3] == b"N\x80\x01"
    assert encode_length(300) == b"\xac\x02"


def test_attribute_record() -> None:
    assert encode_attribute("rewrite_context", "local") == b"A\x15rewrite_context=local"


def test_long_lines_are_cut_at_the_limit() -> None:
    records = list(read_records(encode_lines([b"x" * 5000, b"y"], 2048)))
    assert [(record.kind, len(record.data)) for record in records] == [
        (UNTERMINATED, 2048),
        (UNTERMINATED, 2048),
        (TEXT, 904),
        (TEXT, 1),
    ]


def test_line_of_exactly_the_limit_is_one_record() -> None:
    (record,) = read_records(encode_lines([b"x" * 2048], 2048))
    assert record.kind == TEXT


def test_cut_record_is_an_error() -> None:
    with pytest.raises(RecordError, match="ends after the stream"):
        list(read_records(b"N\x05Hell"))


def test_length_of_too_many_digits_is_an_error() -> None:
    with pytest.raises(RecordError, match="too many length bits, record type 78"):
        list(read_records(b"N\xff\xff\xff\xff\xff\x01"))


@given(st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=400)), max_size=20))
def test_records_survive(pairs: list[tuple[int, bytes]]) -> None:
    data = b"".join([encode_record(kind, payload) for kind, payload in pairs])
    assert [(record.kind, record.data) for record in read_records(data)] == pairs


@given(st.lists(st.binary(max_size=5000).filter(lambda line: b"\n" not in line), max_size=10))
def test_lines_survive(lines: list[bytes]) -> None:
    text = b"".join(
        [record.data + (b"\n" if record.kind == TEXT else b"") for record in read_records(encode_lines(lines, 2048))]
    )
    assert text == b"".join([line + b"\n" for line in lines])


@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_an_error(data: bytes) -> None:
    try:
        total = sum(len(record.data) for record in read_records(data))
    except RecordError:
        return
    assert total <= len(data)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), min_size=1, max_size=8),
    st.sampled_from([b"", b"N", b"L\x02ab", b"X\0"]),
)
def test_runs_of_equal_records(runs: list[tuple[int, int]], tail: bytes) -> None:
    lines = [bytes([65 + length]) * length for length, count in runs for _ in range(count)]
    data = encode_lines(lines) + tail
    position, text = 0, b""
    while position < len(data) - len(tail):
        count = equal_run(data, position, len(data))
        assert count >= 1
        text += text_of_run(data, position, count)
        position += count * (data[position + 1] + 2)
    assert text == b"".join([line + b"\n" for line in lines])
