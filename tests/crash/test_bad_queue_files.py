"""Damaged queue files: they go to the corrupt queue with a warning, and other mail is delivered."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pwd import getpwnam

import pytest

from tests.kit import spool
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.reference]

LATER = {"transport_maps": "inline:{{later.example=retry:4.4.1 not now}}", "notify_classes": ""}

_Records = list[tuple[str, bytes]]
_OFFSET, _SEGMENT, _COUNT = 1, 0, 2
"""Numbers of the size record."""


def encode(kind: str, data: bytes) -> bytes:
    """Return one record, without help of pyfix."""
    length, digits = len(data), bytearray()
    while True:
        digits.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return kind.encode("latin-1") + bytes(digits) + data


def joined(records: _Records) -> bytes:
    return b"".join(encode(kind, data) for kind, data in records)


def damaged_files(good: _Records) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files that are damaged in one way each."""
    whole = joined(good)
    kinds = [kind for kind, _ in good]
    message, end, sender, recipient = (kinds.index(kind) for kind in "MXSR")
    content = len(joined(good[: message + 1]))

    def with_size(number: int, value: int) -> bytes:
        numbers = [int(word) for word in good[0][1].split()]
        numbers[number] = value
        return joined([("C", b" ".join(b"%15d" % number for number in numbers)), *good[1:]])

    def inserted(*records: tuple[str, bytes], at: int = sender) -> bytes:
        return joined([*good[:at], *records, *good[at:]])

    yield "empty", b""
    yield "any bytes", bytes(range(256)) * 8
    yield "text", b"Hello, this is no queue file.\n" * 10
    yield "zeros", bytes(2000)
    yield "without sizes", joined(good[1:])
    yield "sizes are text", joined([("C", 95 * b"x"), *good[1:]])
    yield "too few sizes", joined([("C", b"   1 2 3"), *good[1:]])
    yield "offset 0", with_size(_OFFSET, 0)
    yield "offset beyond the end", with_size(_OFFSET, 100_000)
    yield "offset inside a record", with_size(_OFFSET, content + 1)
    yield "length beyond the end", with_size(_SEGMENT, 100_000)
    yield "negative length", with_size(_SEGMENT, -5)
    yield "short length", with_size(_SEGMENT, 3)
    yield "cut in the sizes", whole[:50]
    yield "cut in the envelope", whole[:200]
    yield "cut before the content", whole[:content]
    yield "cut in the content", whole[: content + 10]
    yield "without the end of content", joined(good[:end])
    yield "without the end", joined(good[: end + 1])
    yield "without sender", joined([*good[:sender], *good[sender + 1 :]])
    yield "without time", joined([record for record in good if record[0] != "T"])
    yield "without recipient", joined([*good[:recipient], *good[recipient + 1 :]])
    yield "time is text", joined([(kind, b"soon" if kind == "T" else data) for kind, data in good])
    yield "unknown record", inserted(("z", b"abc"))
    yield "record of type NUL", inserted(("\0", b""))
    yield "text in the envelope", inserted(("N", b"abc"))
    yield "pointer in a circle", inserted(("p", b"%15d" % len(joined(good[:sender]))))
    yield "pointer beyond the end", inserted(("p", b"%15d" % 99_999))
    yield "pointer is text", inserted(("p", b"here"))
    yield "record longer than the file", joined(good[:sender]) + b"S\xff\xff\xff\x7f" + joined(good[sender:])
    yield "length of too many bits", joined(good[:sender]) + b"S" + 9 * b"\xff" + b"\1" + joined(good[sender:])


def test_damaged_queue_files(parity: Parity) -> None:
    """They go to corrupt with a warning, those on both sides, and other mail is delivered on."""

    def case(mta: Instance) -> dict[str, object]:
        files = dict(damaged_files(good_file(mta)))
        ids = {name: f"BAD{number:07X}" for number, name in enumerate(files)}
        for name, content in files.items():
            put(mta, ids[name], content)
        trigger(mta)
        assert wait_until(lambda: not mta.queue().keys() & {"incoming", "active"}, 20.0), mta.queue()
        queue_id = mta.send_message("user@ours.example")
        mta.wait_for_log(rf"{queue_id}: removed")
        log = "\n".join(mta.log_lines())
        said = {
            name: f'warning: saving corrupt file "{queue_id}" from queue "active"' in log
            for name, queue_id in ids.items()
        }
        where = {name: [queue for queue, names in mta.queue().items() if ids[name] in names] for name in files}
        reasons = {name for name, queue_id in ids.items() if f"warning: {queue_id}: message rejected: " in log}
        if mta.kind == "pyfix":
            others = log.count("warning: Unexpected record type ")  # it names no message, as in the reference
            assert len(reasons) + others == len(files), "no reason in the log"
        for path in (mta.queue_directory / "corrupt").iterdir():
            path.unlink()
        return {"said": said, "where": where}

    result = parity(case, main=LATER).result
    assert isinstance(result, dict)
    assert set(map(tuple, result["where"].values())) == {("corrupt",)}
    assert all(result["said"].values())


def test_a_wrong_count_of_recipients_does_no_harm(parity: Parity) -> None:
    """The size record's count is only for the log."""

    def case(mta: Instance) -> str:
        good = good_file(mta)
        sizes = good[0][1].split()
        sizes[_COUNT] = b"7"
        put(mta, "BAD0000000", joined([("C", b" ".join(b"%15d" % int(size) for size in sizes)), *good[1:]]))
        trigger(mta)
        return mta.wait_for_log(r"BAD0000000: to=<someone@later\.example>, .*(status=.*)")[1]

    assert parity(case, main=LATER).result == "status=deferred (not now)"


def good_file(mta: Instance) -> _Records:
    """Return the records of a queue file that the instance's own cleanup(8) wrote; it is taken away."""
    done = mta.run("sendmail", "-f", "user@ours.example", "someone@later.example", input=b"Subject: x\n\nbody\n")
    assert done.returncode == 0, done
    queue_id = mta.wait_for_log(r"(\w+): to=<someone@later\.example>.*deferred")[1]
    assert wait_until(lambda: queue_id in mta.queue().get("deferred", ()), 5.0)
    path = mta.spool_file(queue_id)
    records = [(record.kind, record.data) for record in spool.records(path)]
    path.unlink()
    return records


def put(mta: Instance, queue_id: str, content: bytes) -> None:
    """Put a complete file into the incoming queue in one step."""
    path = mta.queue_directory / f"new.{queue_id}"
    path.write_bytes(content)
    os.chown(path, getpwnam("postfix").pw_uid, getpwnam("postfix").pw_gid)
    path.chmod(0o700)
    path.rename(mta.queue_directory / "incoming" / queue_id)


def trigger(mta: Instance) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(mta.queue_directory / "public/qmgr"))
        client.send(b"I")
