"""The attribute list before a message.  The expectations are what the reference made of the same bytes."""

from __future__ import annotations

import pytest

from pyfix.daemons.cleanup.source import RecordSource
from pyfix.daemons.cleanup.wishes import BadWishes, read_flags
from pyfix.runtime.log import log
from pyfix.runtime.stream import StreamTimeout
from pyfix.runtime.task import run_now

from .conftest import FakeStream


class _Silent(FakeStream):
    """A client that stalls."""

    async def read(self) -> bytes:
        raise StreamTimeout


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(log, "_log", lambda severity, text: lines.append(f"{severity}: {text}"))
    return lines


def source(data: bytes, *chunks: bytes) -> RecordSource:
    return RecordSource(FakeStream(chunks, []), data)  # type: ignore[arg-type]  # a fake with what it needs


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        (b"4", 4), (b" 4", 4), (b"+4", 4), (b"0004", 4), (b"-1", -1), (b"4294967300", 4), (b"9" * 19, 0x89E7FFFF - (1 << 32)),
        (b"9" * 23, -1), (b"9" * 5000, -1),
    ],
)  # fmt: skip
def test_numbers(said: list[str], value: bytes, flags: int) -> None:
    made = source(b"flags\0" + value + b"\0\0rest")
    assert run_now(read_flags(made)) == flags
    assert made.data[made.position :] == b"rest" and not said


@pytest.mark.parametrize("cut", range(9))
def test_pieces(cut: int) -> None:
    data = b"flags\x0012\0\0"
    assert run_now(read_flags(source(data[:cut], data[cut:]))) == 12


def test_another_attribute_is_the_beginning_of_the_records(said: list[str]) -> None:
    made = source(b"flags\x004\0x\0y\0\0")
    assert run_now(read_flags(made)) == 4
    assert made.data[made.position :] == b"y\0\0"
    assert said == ["warning: unexpected attribute x from cleanup socket (expecting: (list terminator))"]


FROM = "from cleanup socket"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\0", f"missing attribute flags in input {FROM}"),
        (b"x\0", f"unexpected attribute x {FROM} (expecting: flags)"),
        (b"flags\x004 \0", f"malformed numerical data {FROM} while reading input attribute value: 4 "),
        (b"flags\0\0", f"malformed numerical data {FROM} while reading input attribute value: "),
        (b"fla", f"unexpected end-of-input {FROM} while reading input attribute name"),
        (b"flags\0", "premature end-of-input on cleanup socket while reading input attribute value"),
        (b"flags\x004", f"unexpected end-of-input {FROM} while reading input attribute value"),
        (b"flags\x004\0", "premature end-of-input on cleanup socket while reading input attribute name"),
    ],
)
def test_what_is_wrong(said: list[str], data: bytes, complaint: str) -> None:
    with pytest.raises(BadWishes):
        run_now(read_flags(source(data)))
    assert said == [f"warning: {complaint}"]


def test_a_client_that_goes_at_once(said: list[str]) -> None:
    with pytest.raises(BadWishes):
        run_now(read_flags(source(b"")))
    assert not said


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", None),
        (b"fla", f"unexpected end-of-input {FROM} while reading input attribute name"),
        (b"flags\0", "timeout on cleanup socket while reading input attribute value"),
    ],
)
def test_a_client_that_stalls(said: list[str], data: bytes, complaint: str | None) -> None:
    with pytest.raises(StreamTimeout):
        run_now(read_flags(RecordSource(_Silent((), []), data)))  # type: ignore[arg-type]  # as above
    assert said == ([f"warning: {complaint}"] if complaint else [])
