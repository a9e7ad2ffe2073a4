"""Files in the maildrop: both pickups take the same from them, and treat the same files as bad.

The test itself stands in for cleanup, at its socket.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pwd import getpwnam

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.parity.cleanup.side import record, records

T, S, R, E = record("T", "1795400000 5"), record("S", "s@x.example"), record("R", "r@x.example"), record("E")
CONTENT = record("M") + record("N", "y: z") + record("X")
WHOLE = T + S + R + CONTENT + E
USER = 1000
QUEUE_ID = "ABCDEF12345"

_SERVICES: dict[str, str | None] = dict.fromkeys(
    ["cleanup", "tlsmgr", "scache", "verify", "flush", "bounce", "defer", "trace", "proxymap"]
)


@dataclass
class Side:
    """One pickup, and what it sent to the test instead of cleanup."""

    instance: Instance
    status: int = 0
    received: list[bytes] = field(default_factory=list)

    def listen(self) -> None:
        """Stand in for cleanup until the process ends."""
        path = str(self.instance.queue_directory / "public/cleanup")
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        os.chmod(path, 0o666)
        server.listen(10)
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            client, _ = server.accept()
            with client:
                client.settimeout(5)
                client.sendall(b"protocol\0cleanup_protocol\0queue_id\0" + QUEUE_ID.encode() + b"\0\0")
                data = b""
                try:
                    while not data.endswith(b"E\0") and (more := client.recv(65536)):
                        data += more
                    client.sendall(b"status\0%d\0reason\0\0\0" % self.status)
                except OSError:
                    pass
                self.received.append(data)

    def post(self, data: bytes, uid: int, mode: int, kind: str, age: float) -> tuple[object, ...]:
        """Put a file into the maildrop, wake pickup, and return what it did."""
        self.received.clear()
        mark = self.instance.log_mark()
        path = self.instance.queue_directory / "maildrop/AAAA1234"
        other = self.instance.directory / "other"
        if kind == "link":
            path.symlink_to("/etc/passwd")
        elif kind == "folder":
            path.mkdir()
        else:
            other.write_bytes(data)
            os.chown(other, uid, uid)
            other.chmod(mode)
            os.utime(other, (time.time() - age, time.time() - age))
            if kind == "two names":
                os.link(other, path)
            else:
                other.rename(path)
        with socket.socket(socket.AF_UNIX) as waker:
            waker.connect(str(self.instance.queue_directory / "public/pickup"))
            waker.send(b"W")
        self.instance.settle()
        left = os.path.lexists(path)
        if left:
            path.rmdir() if kind == "folder" else path.unlink()
        other.unlink(missing_ok=True)
        sent = [_shown(data) for data in self.received]
        log = [_log_text(line) for line in self.instance.log_lines(mark) if "/pickup[" in line]
        return left, sent, log


def _shown(data: bytes) -> object:
    if not data.endswith(b"E\0"):
        return "broken off"
    end = data.index(b"\0\0") + 2
    return data[:end], [(kind, _without_times(text)) for kind, text in records(data[end:])]


def _without_times(text: bytes) -> bytes:
    text = re.sub(rb"\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4} \(\w+\)", b"DATE", text)
    return b"NOW" if re.fullmatch(rb"\d{10}", text) else text


def _log_text(line: str) -> str:
    text = re.sub(r"\d+ seconds", "N seconds", line.partition("]: ")[2])
    return re.sub(r"\S*/maildrop/", "DIR/maildrop/", text)


@pytest.fixture(scope="session")
def pickups() -> Iterator[tuple[Side, Side]]:
    """Both sides, running."""
    requirements.need_reference()
    with ExitStack() as stack:
        sides = []
        for replace in (None, {"pickup": "pyfix"}):
            instance = stack.enter_context(Instance("reference", master=_SERVICES, replace=replace))
            instance.start()
            side = Side(instance)
            side.listen()
            side.post(WHOLE, USER, 0o744, "file", 0)
            sides.append(side)
        yield sides[0], sides[1]


def compare(
    pickups: tuple[Side, Side],
    data: bytes,
    *,
    uid: int = USER,
    mode: int = 0o744,
    kind: str = "file",
    age: float = 0,
    status: int = 0,
) -> tuple[object, ...]:
    """Post the same file on both sides; fail unless both do the same."""
    seen = []
    for side in pickups:
        side.status = status
        seen.append(side.post(data, uid, mode, kind, age))
    assert seen[1] == seen[0]
    return seen[1]


RECORDS = [
    ("F", "Full"), ("I", "i"), ("L", "l"), ("A", "a=b"), ("A", "rewrite_context=remote"), ("A", "encoding=7bit"),
    ("A", "envelope_id=x"), ("A", "dsn_orig_rcpt=x;y"), ("A", "create_time=4"), ("A", "bad"), ("A", "=x"),
    ("A", "x="), (">", "r"), ("e", "e"), ("r", "r"), ("P", "p"), ("K", "k"), ("<", "1"), ("i", "e"), ("o", "x;y"),
    ("n", "3"), ("c", "6"), ("T", "1 2"), ("S", "dup"), ("f", "4"), ("m", "1"), ("p", "0"), ("w", "0"), ("d", "5"),
    ("V", "+-"), ("W", "44"), ("C", "x"), ("D", "d"), ("/", "d"), ("O", "o"), ("E", ""), ("X", ""), ("M", ""),
    ("Z", "z"),
]  # fmt: skip


@pytest.mark.reference
@pytest.mark.parametrize(("kind", "data"), RECORDS)
@pytest.mark.parametrize("place", ["before T", "after T", "after R", "content", "extracted"])
def test_each_record_in_each_place(pickups: tuple[Side, Side], kind: str, data: str, place: str) -> None:
    def at(name: str) -> bytes:
        return record(kind, data) if name == place else b""

    envelope = at("before T") + T + at("after T") + S + R + at("after R")
    content = record("M") + record("N", "y: z") + at("content") + record("N", "") + record("X")
    compare(pickups, envelope + content + at("extracted") + R + E)


@pytest.mark.reference
@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        T + record("S", "") + R + CONTENT + E,
        T + record("S", "a b") + R + CONTENT + E,
        T + R + CONTENT + E,
        S + R + CONTENT + E,
        T + S + CONTENT + R + E,
        b"",
        b"\xff" * 30,
        WHOLE[:-2],
        WHOLE[:-5],
        (T + S + R)[:-1],
        WHOLE + record("N", "x"),
        T + S + R + record("M") + record("L", "x" * 3000) + record("X") + E,
        T + S + R + record("M") + record("N", "x" * 1000) * 300 + record("X") + E,
    ],
)
def test_whole_files(pickups: tuple[Side, Side], data: bytes) -> None:
    compare(pickups, data)


@pytest.mark.reference
@pytest.mark.parametrize("mode", [0o744, 0o700, 0o644, 0o600])
@pytest.mark.parametrize("owner", ["user", "root", "postfix"])
def test_owners_and_modes(pickups: tuple[Side, Side], owner: str, mode: int) -> None:
    uid = {"user": USER, "root": 0, "postfix": getpwnam("postfix").pw_uid}[owner]
    compare(pickups, WHOLE, uid=uid, mode=mode)


@pytest.mark.reference
@pytest.mark.parametrize("kind", ["link", "folder", "two names"])
def test_what_is_no_file(pickups: tuple[Side, Side], kind: str) -> None:
    compare(pickups, WHOLE, kind=kind)


@pytest.mark.reference
@pytest.mark.parametrize("age", [86000, 90000, 864000, -86000, -90000])
def test_ages(pickups: tuple[Side, Side], age: float) -> None:
    compare(pickups, WHOLE, age=age)


@pytest.mark.reference
@pytest.mark.parametrize("status", [1, 2, 3, 4, 8, 16, 64, 128, 256, 512])
def test_what_cleanup_says(pickups: tuple[Side, Side], status: int) -> None:
    compare(pickups, WHOLE, status=status)
