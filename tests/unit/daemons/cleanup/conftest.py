"""A cleanup session without an event loop: records in, queue file and log lines out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup.session import Session
from pyfix.daemons.cleanup.setup import Setup
from pyfix.formats.attributes import encode_pairs
from pyfix.formats.queuefile import Sizes
from pyfix.formats.records import encode_record, read_records
from pyfix.protocols.internal.cleanup import Status
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter
from pyfix.rewriting.standard import StandardForm
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now

SETTINGS = {"myhostname": "mail.ours.example", "compatibility_level": "3.11", "mydomain": "ours.example"}
FOLDERS = ("incoming", "hold", "defer", "bounce", "trace")

Record = tuple[str, bytes]


def record(kind: str, data: str | bytes = b"") -> bytes:
    """Encode one record."""
    return encode_record(ord(kind), data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)


def records(*pairs: tuple[str, str | bytes]) -> bytes:
    """Encode several."""
    return b"".join([record(kind, data) for kind, data in pairs])


def lines(text: bytes) -> bytes:
    """Encode content, one record a line."""
    return b"".join([record("N", line) for line in text.split(b"\n")[:-1]])


ENVELOPE = records(("T", "1000000 5"), ("S", "s@client.example"))
RECIPIENT = records(("R", "user@ours.example"))
TAIL = records(("X", ""), ("E", ""))


def message(content: bytes, *, envelope: bytes = ENVELOPE, recipients: bytes = RECIPIENT, tail: bytes = TAIL) -> bytes:
    """Encode a whole message; *content* gets a Received: header before it."""
    return envelope + recipients + record("M") + record("N", "Received: by here") + lines(content) + tail


class FakeStream:
    """What Session needs of a Stream."""

    def __init__(self, chunks: Sequence[bytes], events: list[str]) -> None:
        self._chunks = list(chunks)
        self._events = events
        self.written = b""

    async def read(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""

    def send_early(self) -> None:
        """Everything has been sent already."""

    def write(self, data: bytes) -> None:
        self.written += data
        if data.startswith(b"status\0"):
            self._events.append("answer")


class FakeCommit:
    """Notes that a file was synced, and whether it was complete then."""

    def __init__(self, events: list[str], fail: OSError | None = None) -> None:
        self._events = events
        self._fail = fail

    async def sync(self, fd: int) -> None:
        complete = os.fstat(fd).st_mode & 0o777 == 0o700 and os.pread(fd, 1 << 30, 0).endswith(b"E\0")
        self._events.append("sync" if complete else "sync too early")
        if self._fail is not None:
            raise self._fail


@dataclass
class Outcome:
    """What became of a message."""

    status: int
    reason: str
    queue_id: str
    queue: str | None = None
    path: Path | None = None
    sizes: Sizes | None = None
    records: list[Record] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def content(self) -> list[bytes]:
        """Return the lines of the message."""
        kinds = [kind for kind, _ in self.records]
        return [data for kind, data in self.records[kinds.index("M") + 1 : kinds.index("X")] if kind in "NL"]

    def kinds(self) -> str:
        """Return the types of the records."""
        return "".join([kind for kind, _ in self.records])


Submit = Callable[..., Outcome]


async def myorigin(context: str, address: str) -> str:
    """Stand in for trivial-rewrite: append the host to what has no domain."""
    if context == "local" and address and "@" not in address:
        return f"{address}@mail.ours.example"
    return address


@pytest.fixture
def submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submit:
    """Return a function that brings records to cleanup and says what became of them."""
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    found: list[str] = []
    monkeypatch.setattr(
        log, "_log", lambda severity, text: found.append(text if severity == "info" else f"{severity}: {text}")
    )

    def send(
        stream: bytes,
        *,
        flags: int = 16 | 32,
        chunk: int = 0,
        fail_sync: OSError | None = None,
        limit: int = 0,
        long_ids: bool = False,
        ask: object = myorigin,
        **settings: str,
    ) -> Outcome:
        snapshot = Snapshot({**SETTINGS, **settings, "enable_long_queue_ids": "yes" if long_ids else "no"})
        setup = Setup(CleanupSettings(snapshot), StandardForm(ask))  # type: ignore[arg-type]  # tests give other functions too
        setup.open_tables()
        spool = Spool(("deferred", "defer"), 1, str(tmp_path))
        events: list[str] = []
        request = encode_pairs([("flags", str(flags))]) + stream
        chunks = [request[at : at + chunk] for at in range(0, len(request), chunk)] if chunk else [request]
        client = FakeStream(chunks, events)
        file = QueueFileWriter.create(spool, long_ids=long_ids, limit=limit)
        found.clear()
        session = Session(client, setup, file, FakeCommit(events, fail_sync), lambda: events.append("wake qmgr"))  # type: ignore[arg-type]  # the fakes have what it needs
        try:
            run_now(session.run())
        finally:
            file.close()
        greeting, _, answer = client.written.partition(b"\0\0")
        assert greeting == f"protocol\0cleanup_protocol\0queue_id\0{file.queue_id}".encode()
        status = Status.decode(answer)
        outcome = Outcome(status.status, status.reason, file.queue_id, events=events)
        outcome.log = [line.replace(file.queue_id, "ID") for line in found]
        for queue in ("incoming", "hold"):
            path = tmp_path / queue / file.queue_id
            if path.exists():
                outcome.queue, outcome.path = queue, path
                decoded = list(read_records(path.read_bytes()))
                outcome.sizes = Sizes.decode(decoded[0].data)
                outcome.records = [(chr(one.kind), one.data) for one in decoded]
        return outcome

    return send
