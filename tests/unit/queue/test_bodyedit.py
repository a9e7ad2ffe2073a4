"""Where a new body is written; what its reader makes of it is in test_room.py."""

from __future__ import annotations

from pathlib import Path

from pyfix.formats.records import TEXT, encode_record
from pyfix.queue.bodyedit import BodyEdit
from pyfix.queue.linkedrecords import LinkedRecords, pointer_record
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter

START, END = 10, 60


def made(folder: Path) -> LinkedRecords:
    (folder / "incoming").mkdir()
    records = LinkedRecords(QueueFileWriter.create(Spool((), 0, str(folder))))
    records.append(b"." * 70)
    return records


def written(records: LinkedRecords, edit: BodyEdit, *lines: bytes) -> int:
    edit.begin()
    for text in lines:
        edit.add(encode_record(TEXT, text))
    return edit.end()


def test_a_body_in_the_place_of_the_first(tmp_path: Path) -> None:
    records = made(tmp_path)
    assert written(records, BodyEdit(records, START, END), b"new") == 5
    assert records.file_size == 70
    assert records.read(0, 70) == (b"." * 10 + b"N\x03new" + pointer_record(END)).ljust(70, b".")


def test_a_larger_body_goes_on_at_the_end_and_gives_its_place_back(tmp_path: Path) -> None:
    records = made(tmp_path)
    edit = BodyEdit(records, START, END)
    assert written(records, edit, b"a" * 20, b"b" * 30) == 54
    assert records.read(START, 39) == encode_record(TEXT, b"a" * 20) + pointer_record(70)
    assert records.read(70, 100) == encode_record(TEXT, b"b" * 30) + pointer_record(END)
    size = records.file_size
    assert written(records, edit, b"c" * 20, b"d" * 20) == 44
    assert records.file_size == size, "the place at the end is used again"
    assert records.read(70, 22) == encode_record(TEXT, b"d" * 20)
    assert records.read(START - 10, 10) == b"." * 10 and records.read(END, 10) == b"." * 10
