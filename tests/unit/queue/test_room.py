from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.records import POINTER, encode_record
from pyfix.queue.message import Message
from pyfix.queue.room import EMPTY_POINTER, ROOM_BYTES, DamagedFile, Room, padding_after
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter, SizeLimitExceeded


def record(kind: str, text: str = "") -> bytes:
    return encode_record(ord(kind), text.encode())


def line(text: str) -> bytes:
    return record("N", text) + padding_after(len(text))


def made(folder: Path, headers: list[str], body: str = "hello", limit: int = 0) -> Room:
    """Write a message with room for milters; return the room."""
    (folder / "incoming").mkdir(exist_ok=True)
    file = QueueFileWriter.create(Spool((), 0, str(folder)), limit=limit)
    room = Room(file)
    file.begin()
    room.sender_place = file.size
    file.append(record("S", "a@b") + padding_after(3, POINTER))
    room.sender_after = file.size
    file.append(record("O", "x@y") + record("R", "x@y"))
    room.recipients_place = file.size
    file.append(EMPTY_POINTER)
    room.recipients_after = file.size
    file.append(record("M"))
    room.data_offset = file.size
    file.append(record("N", "Received: by here") + b"".join(map(line, headers)))
    room.header_place = file.size
    file.append(EMPTY_POINTER)
    room.header_after = file.size
    file.append(record("N") + b"".join(record("N", one) for one in body.split("\n")) + EMPTY_POINTER)
    room.content_end = file.size
    file.append(record("X"))
    room.extracted_place = file.size
    file.append(EMPTY_POINTER)
    room.extracted_after = file.size
    file.append(record("E"))
    room.find_body()
    return room


def content(room: Room) -> list[str]:
    """Read the message as its deliverer does."""
    file = room._file
    file.write_out()
    path = Path(file.path).with_name("copy")
    path.write_bytes(os.pread(file.fd, 1 << 24, 0))
    with Message(str(path)) as message:
        return message.content(room.data_offset).decode().split("\n")[:-1]


def test_headers(tmp_path: Path) -> None:
    room = made(tmp_path, ["A: 1", "Subject: x", "A: 2"])
    room.add_header(line("B: 1"))
    room.insert_header(1, line("First: 1"))
    room.change_header(2, b"a", line("A: changed") + record("N", "\tmore"))
    room.delete_header(1, b"Subject")
    room.change_header(1, b"New", line("New: 1"))
    assert content(room) == [
        "First: 1", "Received: by here", "A: 1", "A: changed", "\tmore", "B: 1", "New: 1", "", "hello",
    ]  # fmt: skip
    assert list(room.headers()) == [
        (b"First", b" 1"), (b"A", b" 1"), (b"A", b" changed\n\tmore"), (b"B", b" 1"), (b"New", b" 1"),
    ]  # fmt: skip


def test_our_own_header_stays(tmp_path: Path) -> None:
    room = made(tmp_path, ["Received: by them"])
    room.delete_header(1, b"Received")
    room.delete_header(1, b"Received")
    assert content(room)[0] == "Received: by here"
    assert not list(room.headers())


def test_bodies(tmp_path: Path) -> None:
    room = made(tmp_path, ["A: 1"], "some text\n" * 10)
    for text in ("x" * 40, "y" * 3000, "z"):
        room.replace_body()
        room.add_line(text.encode(), ended=True)
        room.add_line(b"last", ended=True)
        room.end_body()
        assert b"".join(room.body_blocks()) == f"{text}\nlast\n".encode()
    assert content(room) == ["Received: by here", "A: 1", "", "z", "last"]


def test_envelope(tmp_path: Path) -> None:
    room = made(tmp_path, [])
    room.change_sender(record("S", "c@d") + padding_after(3, POINTER))
    room.change_sender(record("S") + padding_after(0, POINTER))
    room.add_recipients(record("O", "p@q") + record("R", "p@q"))
    assert room.delete_recipient(b"x@y") == 1
    assert room.delete_recipient(b"p@q") == 1
    assert room.delete_recipient(b"p@q") == 0
    room.add_extracted(record("L", "smtp:x"))
    assert content(room)[-1] == "hello"


def test_too_large(tmp_path: Path) -> None:
    room = made(tmp_path, [], limit=500)
    with pytest.raises(SizeLimitExceeded):
        room.add_header(line("A: " + "x" * 500))


def test_a_damaged_file(tmp_path: Path) -> None:
    room = made(tmp_path, ["A: 1"])
    room.overwrite(room.data_offset, b"p\x0fxxxxxxxxxxxxxxx")
    with pytest.raises(DamagedFile):
        list(room.headers())


def test_room_for_a_pointer() -> None:
    for length in range(30):
        size = 2 + length + len(padding_after(length))
        assert size >= len(EMPTY_POINTER) or length >= ROOM_BYTES


NAMES = st.sampled_from(["A", "B", "Subject"])
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.just(0), NAMES),
        st.tuples(st.just("insert"), st.integers(1, 9), NAMES),
        st.tuples(st.just("change"), st.integers(1, 3), NAMES),
        st.tuples(st.just("delete"), st.integers(1, 3), NAMES),
    ),
    max_size=15,
)


@given(EDITS)
@settings(max_examples=150, deadline=None)
def test_any_edits(tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, int, str]]) -> None:
    """The file says the same as a list of lines to which the same was done."""
    room = made(tmp_path_factory.mktemp("room"), ["A: 0", "Subject: x", "A: 1"])
    wanted = ["Received: by here", "A: 0", "Subject: x", "A: 1"]
    for number, (what, index, name) in enumerate(edits, 2):
        text = f"{name}: {number}"
        places = [place for place, one in enumerate(wanted) if one.startswith(f"{name}:")]
        place = places[index - 1] if len(places) >= index > 0 else -1
        match what:
            case "add":
                room.add_header(line(text))
                wanted.append(text)
            case "insert":
                room.insert_header(index, line(text))
                wanted.insert(index - 1, text)
            case "change":
                room.change_header(index, name.encode(), line(text))
                wanted[place if place >= 0 else len(wanted) : place + 1 if place >= 0 else len(wanted)] = [text]
            case "delete":
                room.delete_header(index, name.encode())
                if place >= 0:
                    del wanted[place]
    assert content(room) == [*wanted, "", "hello"]
