"""One side's cleanup under the reference's master, spoken to over its socket; its queue files and log lines."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.kit.instance import Instance

HOLD = 4
MAPS = 16 | 32
_OTHER = re.compile(r"[0-9A-F]{8,}: ")
"""A line about another message: a notice about the one of the test."""
_ABOUT = re.compile(r"\]: (?:warning: )?(?:[0-9A-F]{8,}|[0-9B-Zb-z]{12,}): ")
"""A line about any message, with short or long queue ids."""


def record(kind: str, data: str | bytes = b"") -> bytes:
    """Encode a record, without any code of pyfix."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    length = len(raw)
    head = bytes([ord(kind)])
    while length > 127:
        head += bytes([length & 127 | 128])
        length >>= 7
    return head + bytes([length]) + raw


def records(text: bytes) -> list[tuple[str, bytes]]:
    """Decode all records."""
    found, at = [], 0
    while at < len(text):
        kind, position, length, shift = chr(text[at]), at + 1, 0, 0
        while True:
            digit = text[position]
            position += 1
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                break
        found.append((kind, text[position : position + length]))
        at = position + length
    return found


def lines(*texts: bytes) -> bytes:
    """Encode content lines; a longer line than 2048 bytes in pieces, as smtpd sends it."""
    out = b""
    for text in texts:
        rest = text
        while len(rest) > 2048:
            out += record("L", rest[:2048])
            rest = rest[2048:]
        out += record("N", rest)
    return out


@dataclass(frozen=True)
class Submission:
    """A message for cleanup, as a client brings it."""

    stream: bytes
    """Its records."""
    flags: int = MAPS | HOLD
    end: bool = True
    """Whether the client says all of it and waits for the answer."""
    chunk: int = 0
    """Bytes that are sent together; 0: all."""
    start: bytes | None = None
    """What is sent in the place of the flags."""
    service: str = "cleanup"
    """The service of master.cf that gets it."""


@dataclass(frozen=True)
class Seen:
    """What one side made of a message, with the queue id and the times taken out."""

    reply: bytes
    queue: str | None
    mode: int | None
    file: list[tuple[str, bytes]]
    log: list[str]


class Side:
    """A running instance, one of whose cleanups takes messages from a test."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.spool = instance.queue_directory

    def submit(self, stream: bytes, flags: int = MAPS | HOLD, *, end: bool = True, chunk: int = 0) -> Seen:
        """Bring records to cleanup, with flags; *end*: wait for the answer.  Held files are removed."""
        return self.submit_all([Submission(stream, flags, end, chunk)])[0][0]

    def submit_all(self, submissions: Sequence[Submission]) -> tuple[list[Seen], list[str]]:
        """Bring several messages to cleanup, one after the other, and look at the log when all of them are through.

        Of one message all lines of cleanup are taken to be about it; of several, those that name none are the second
        result.
        """
        mark = self.instance.log_mark()
        taken = [self._bring(one) for one in submissions]
        self.instance.settle()
        lines = [line for line in self.instance.log_lines(mark) if "/cleanup[" in line]
        rest: list[str] = []
        if len(taken) == 1:
            queue_id = taken[0][0]
            logs = [[text for line in lines if not _OTHER.match(text := _log_text(line, queue_id))]]
        else:
            logs = [[_log_text(line, queue_id) for line in lines if f" {queue_id}: " in line] for queue_id, *_ in taken]
            rest = sorted(line.partition("]: ")[2] for line in lines if not _ABOUT.search(line))
            rest = [line for line in rest if not re.search("no replacement text|non-UTF-8 key", line)]  # not once a message
        return [
            Seen(
                reply=reply,
                queue=queue,
                mode=mode,
                file=[(kind, without_times(data, queue_id)) for kind, data in records(content)],
                log=log,
            )
            for (queue_id, reply, queue, mode, content), log in zip(taken, logs, strict=True)
        ], rest

    def _bring(self, one: Submission) -> tuple[str, bytes, str | None, int | None, bytes]:
        """Bring one message; return its queue id, the answer, its queue, and mode and content of its file."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            _connect(client, str(self.spool / "public" / one.service))
            greeting = b""
            while not greeting.endswith(b"\0\0"):
                greeting += client.recv(4096)
            queue_id = greeting.split(b"\0")[3].decode()
            assert greeting == b"protocol\0cleanup_protocol\0queue_id\0" + queue_id.encode() + b"\0\0"
            whole = (b"flags\0%d\0\0" % one.flags if one.start is None else one.start) + one.stream
            reply = b""
            try:
                for at in range(0, len(whole), one.chunk or len(whole) or 1):
                    client.sendall(whole[at : at + (one.chunk or len(whole))])
                if one.end:
                    client.shutdown(socket.SHUT_WR)
                while one.end and (data := client.recv(4096)):
                    reply += data
            except OSError as error:
                reply = str(error).encode()
        if not one.end:
            self.instance.settle()
        path = next(
            (path for path in (self.spool / "hold" / queue_id, self.spool / "incoming" / queue_id) if path.exists()),
            None,
        )
        if path is None:
            return queue_id, reply, None, None, b""
        content, mode = path.read_bytes(), os.stat(path).st_mode
        if path.parent.name == "hold":
            path.unlink()
        return queue_id, reply, path.parent.name, mode, content


def _connect(client: socket.socket, path: str) -> None:
    """Connect to a service; on a busy machine its socket may be there a moment before master listens on it."""
    end = time.monotonic() + 5
    while True:
        try:
            client.connect(path)
            return
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def without_times(data: bytes, queue_id: str) -> bytes:
    """Take out of a record what differs from run to run."""
    data = data.replace(queue_id.encode(), b"ID")
    data = re.sub(rb"\b20\d{12}\.ID", b"ID", data)
    data = re.sub(rb"create_time=\d+", b"create_time=T", data)
    return re.sub(rb"\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4} \(\w+\)", b"DATE", data)


def _log_text(line: str, queue_id: str) -> str:
    text = line.partition("]: ")[2].replace(queue_id, "ID")
    text = re.sub(r"\b20\d{12}\.ID", "ID", text)
    return re.sub(r"delays?=[\d./]+", "delay", text)


Compare = Callable[..., Seen]
CompareAll = Callable[..., list[Seen]]
