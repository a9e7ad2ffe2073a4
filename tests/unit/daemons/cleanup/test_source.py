from __future__ import annotations

from typing import Any

import pytest

from pyfix.daemons.cleanup.source import EndOfInput, RecordSource
from pyfix.formats.records import RecordError
from pyfix.runtime.task import run_now

from .conftest import FakeStream, record, records

DATA = records(("S", "s@x"), ("R", "x" * 200), ("M", ""), ("N", "y"))


def source(data: bytes, *chunks: bytes) -> RecordSource:
    stream: Any = FakeStream(chunks, [])
    return RecordSource(stream, data)


def test_up_to_a_stop() -> None:
    made = source(DATA)
    assert made.take(b"M") == [(ord("S"), b"s@x"), (ord("R"), b"x" * 200), (ord("M"), b"")]
    assert made.take(b"M") == [(ord("N"), b"y")]
    assert made.take(b"M") == []
    assert not made.ended


@pytest.mark.parametrize("cut", range(len(DATA)))
def test_incomplete_records_wait(cut: int) -> None:
    made = source(DATA[:cut], DATA[cut:])
    found = made.take(())
    run_now(made.more())
    assert found + made.take(()) == [(ord("S"), b"s@x"), (ord("R"), b"x" * 200), (ord("M"), b""), (ord("N"), b"y")]


def test_the_end_of_input() -> None:
    made = source(DATA[:3])
    with pytest.raises(EndOfInput):
        run_now(made.more())
    with pytest.raises(EndOfInput):
        run_now(made.skip())


def test_skipping_stops_at_the_end_record() -> None:
    made = source(DATA, record("X"), record("E") + b"rest", b"not read")
    run_now(made.skip())
    assert made.ended and made.data[made.position :] == b"rest"
    run_now(made.skip())


def test_impossible_lengths() -> None:
    made = source(DATA[:5] + b"N" + b"\xff" * 10)
    assert made.take(()) == [(ord("S"), b"s@x")]  # what comes before it is taken first
    with pytest.raises(RecordError):
        run_now(made.more())
