"""Clients that stop in the middle: both cleanups wait for ipc_timeout, say the same in the log, and nothing to the client."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest

from .side import Side, lines, record
from .test_by_hand import WHOLE, M, R, S, T, X

pytestmark = pytest.mark.reference

_TEXT = lines(b"Received: x", b"Message-Id: <z>", b"", b"x")
STALLS = {
    "at once": b"", "in a name": b"fla", "before a value": b"flags\0", "in a value": b"flags\x004", "before the end": b"flags\x004\0",
    "in the next name": b"flags\x004\0x", "in the envelope": b"flags\x004\0\0" + T, "in a record": b"flags\x004\0\0" + T + b"S\x20ab",
    "in a length": b"flags\x004\0\0" + T + b"S\x80", "in the content": b"flags\x004\0\0" + T + S + R + M + _TEXT,
    "in the end": b"flags\x004\0\0" + T + S + R + M + _TEXT + X, "after a refusal": b"flags\x004\0\0" + T + record("Q"),
    "in the content after a refusal": b"flags\x004\0\0" + T + S + R + M + record("Q") + b"N\x20x", "of what is dropped": b"flags\x008\0\0" + T,
    "never": b"flags\x004\0\0" + WHOLE,
}  # fmt: skip


def _stall(side: Side) -> dict[str, object]:
    mark = side.instance.log_mark()
    clients = {}
    for name, data in STALLS.items():
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        client.connect(str(side.spool / "public/cleanup"))
        clients[name] = client, client.recv(4096).split(b"\0")[3].decode()
        client.sendall(data)
    replies = {}
    for name, (client, _queue_id) in clients.items():
        with client:
            replies[name] = client.recv(4096)
    side.instance.settle()
    said = [line.partition("]: ")[2] for line in side.instance.log_lines(mark) if "/cleanup[" in line]
    seen: dict[str, object] = {
        name: (replies[name], [line.replace(queue_id, "ID") for line in said if queue_id in line])
        for name, (_client, queue_id) in clients.items()
    }
    seen["of no message"] = sorted(line for line in said if not re.search(r"[0-9A-F]{8,}: ", line))
    return seen


def test_clients_that_stall(sides: Callable[..., tuple[Side, Side]]) -> None:
    theirs, ours = [_stall(side) for side in sides({"ipc_timeout": "1"})]
    assert ours == theirs
