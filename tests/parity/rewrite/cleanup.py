"""Messages put straight into Postfix's cleanup, and what became of their content."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from pyfix.formats.records import END, EXTRACTED, MESSAGE, RECIPIENT, SENDER, TEXT, TIME, UNTERMINATED, read_records
from tests.kit.instance import Instance

Line = bytes | tuple[int, bytes]

_FLAGS = 2 | 4 | 16 | 32
"""Filter, hold, BCC and mapping: what smtpd asks for, and the message stays in the hold queue."""


@dataclass(frozen=True)
class Cleaned:
    """What cleanup said, and the lines that it wrote."""

    queue_id: str
    status: int
    reason: str
    lines: list[bytes]
    encoding: bool
    """Whether the extracted segment says encoding=8bit."""


def record(kind: int, data: bytes = b"") -> bytes:
    """Return one record."""
    length, digits = len(data), b""
    while length > 127:
        digits += bytes((length & 127 | 128,))
        length >>= 7
    return bytes((kind,)) + digits + bytes((length,)) + data


def clean(mta: Instance, lines: Sequence[Line]) -> Cleaned:
    """Submit a message of *lines* (pieces of lines have their record type) from a local client."""
    records = [record(TIME, b"1700000000 0"), record(0x41, b"rewrite_context=local")]
    records += [record(SENDER, b"sender@ours.example"), record(RECIPIENT, b"user@ours.example"), record(MESSAGE)]
    records.append(record(TEXT, b"Received: by test"))
    records += [record(*line) if isinstance(line, tuple) else record(TEXT, line) for line in lines]
    records += [record(EXTRACTED), record(END)]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(mta.queue_directory / "public/cleanup"))
        greeting = connection.recv(4096).split(b"\0")
        queue_id = greeting[3].decode()
        connection.sendall(b"flags\0%d\0\0" % _FLAGS + b"".join(records))
        answer = b""
        while more := connection.recv(4096):
            answer += more
    words = answer.split(b"\0")
    status, reason = int(words[1]), words[3].decode("utf-8", "replace")
    written: list[bytes] = []
    encoding = content = False
    if status == 0:
        path = mta.spool_file(queue_id)
        for kind, data, _offset in read_records(path.read_bytes()):
            if kind == MESSAGE:
                content = True
            elif kind == EXTRACTED:
                content = False
            elif content and kind in (TEXT, UNTERMINATED):
                written.append(data)
            elif data == b"encoding=8bit":
                encoding = True
        path.unlink()
    return Cleaned(queue_id, status, reason, written[1:], encoding)


def checked(mta: Instance, results: Sequence[Cleaned]) -> dict[str, list[tuple[str, str]]]:
    """Return which header and body lines the checks saw, by queue id: (text of the INFO action, the line)."""
    mta.wait_for_log(f"{results[-1].queue_id}: ")
    events: dict[str, list[tuple[str, str]]] = {result.queue_id: [] for result in results}
    pattern = re.compile(r"(\w+): info: (?:header|body) (.*) from local; from=<[^>]*> to=<[^>]*>: (\w+)$")
    for line in mta.log_lines(whole=True):
        found = pattern.search(line)
        if found and found[1] in events:
            events[found[1]].append((found[3], found[2]))
    return events
