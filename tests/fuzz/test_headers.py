"""Any content at all: cleanup takes it without a crash, and writes a queue file that is whole."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup.quickheader import HeaderNames, scan_header
from pyfix.daemons.cleanup.session import Session
from pyfix.daemons.cleanup.setup import Setup
from pyfix.formats.attributes import encode_pairs
from pyfix.formats.queuefile import Sizes
from pyfix.formats.records import encode_record, read_records
from pyfix.protocols.internal.cleanup import Status
from pyfix.queue.nameless import forget_folders
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter
from pyfix.rewriting.standard import StandardForm
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now

SETTINGS = {"myhostname": "mail.ours.example", "mydomain": "ours.example", "compatibility_level": "3.11"}

names = st.sampled_from(
    [
        b"From",
        b"To",
        b"Cc",
        b"Subject",
        b"Date",
        b"Message-Id",
        b"Received",
        b"Content-Type",
        b"Resent-To",
        b"Sender",
        b"Bcc",
    ]
)
values = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([b"a", b"<", b">", b"@", b",", b'"', b"(", b")", b"\\", b";", b":", b" ", b"\n ", b"."])
    ).map(b"".join),
    st.sampled_from([b"multipart/mixed; boundary=b", b"message/rfc822", b"multipart/digest; boundary=b"]),
)
header_lines = st.builds(
    lambda name, colon, value: name + colon + value, names, st.sampled_from([b":", b": ", b" : "]), values
)
text_lines = st.one_of(
    header_lines, st.binary(max_size=300), st.sampled_from([b"", b"--b", b"--b--", b" x", b"x" * 2048])
)
record_kinds = st.sampled_from([b"N", b"N", b"N", b"N", b"L"])


class _Stream:
    def __init__(self, data: bytes, chunk: int) -> None:
        self._chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
        self.written = b""

    async def read(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""

    def write(self, data: bytes) -> None:
        self.written += data

    def send_early(self) -> None:
        """What is written has arrived."""


class _Commit:
    async def sync(self, fd: int) -> None:
        pass


async def _ask(context: str, address: str) -> str:
    return f"{address}@mail.ours.example" if "@" not in address else address


def deliver(stream: bytes, chunk: int = 1 << 20) -> tuple[int, bytes]:
    """Bring records to cleanup; return its status and the queue file."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("incoming", "hold", "defer", "bounce", "trace"):
            Path(folder, name).mkdir()
        client = _Stream(encode_pairs([("flags", "48")]) + stream, chunk)
        setup = Setup(CleanupSettings(Snapshot(SETTINGS)), StandardForm(_ask))
        file = QueueFileWriter.create(Spool(("deferred", "defer"), 1, folder))
        try:
            run_now(Session(client, setup, file, _Commit(), lambda: None).run())  # type: ignore[arg-type]  # fakes with what it needs
        finally:
            file.close()
            forget_folders()
        status = Status.decode(client.written.partition(b"\0\0")[2])
        found = list(Path(folder, "incoming").iterdir())
        assert len(found) == (status.status == 0)
        return status.status, found[0].read_bytes() if found else b""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_log", lambda _severity, _text: None)


def check(content: bytes) -> None:
    decoded = list(read_records(content))
    kinds = "".join([chr(one.kind) for one in decoded])
    sizes = Sizes.decode(decoded[0].data)
    assert kinds.startswith("CTAS") and kinds.endswith("E")
    assert kinds.count("M") == kinds.count("X") == 1
    assert content[sizes.data_offset - 2 : sizes.data_offset] == b"M\0"
    assert content[sizes.data_offset + sizes.segment :].startswith(b"X\0")
    for one in decoded[kinds.index("M") + 1 : kinds.index("X")]:
        assert chr(one.kind) in "NL"
        assert len(one.data) <= 2048
        assert b"\r" not in one.data and b"\n" not in one.data


def envelope() -> bytes:
    start = encode_record(0x54, b"1000000 5") + encode_record(0x53, b"s@x.example")
    return start + encode_record(0x52, b"r@x.example") + encode_record(0x4D) + encode_record(0x4E, b"Received: x")


END = encode_record(0x58) + encode_record(0x45)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(record_kinds, text_lines), max_size=25))
def test_any_content_makes_a_whole_file(lines: list[tuple[bytes, bytes]]) -> None:
    status, content = deliver(envelope() + b"".join([encode_record(kind[0], text) for kind, text in lines]) + END)
    if not status:
        check(content)


@settings(max_examples=100, deadline=None)
@given(st.lists(text_lines, max_size=15), st.integers(1, 40))
def test_pieces_do_not_matter(lines: list[bytes], chunk: int) -> None:
    stream = envelope() + encode_record(0x4E, b"Message-Id: <x>") + encode_record(0x4E, b"Date: d")
    stream += encode_record(0x4E, b"From: f@x.example") + b"".join([encode_record(0x4E, text) for text in lines]) + END
    whole, pieces = deliver(stream), deliver(stream, chunk)
    assert whole[0] == pieces[0]
    # Generated message ids have the time and the queue id, which differ.
    content = [
        re.sub(rb"[0-9]{14}\.[0-9A-F]{10,}@", b"ID@", one.partition(b"M\0")[2]) for one in (whole[1], pieces[1])
    ]
    assert content[0] == content[1]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_or_taken(data: bytes) -> None:
    status, content = deliver(data)
    assert status or content


@settings(max_examples=300, deadline=None)
@given(st.lists(header_lines, max_size=12), st.binary(max_size=60))
def test_the_glance_at_a_header_takes_all_or_nothing(lines: list[bytes], rest: bytes) -> None:
    records = [encode_record(0x4E, line) for text in lines for line in text.split(b"\n")]
    data = b"".join(records) + b"N\0" + rest
    found = scan_header(data, 0, HeaderNames(frozenset()), 2048, 102400)
    if found is None:
        return
    specials, _titles, end = found
    assert data[end : end + 2] == b"N\0"
    assert end <= len(b"".join(records))
    for _known, name, body, start, stop in specials:
        assert 0 <= start < start + len(name) + 1 + len(body) < stop <= end
