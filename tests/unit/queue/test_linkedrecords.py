from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.formats.records import TEXT, encode_record
from pyfix.queue.linkedrecords import DamagedFile, LinkedRecords, pointer_record
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter


def made(folder: Path, content: bytes) -> LinkedRecords:
    (folder / "incoming").mkdir()
    file = QueueFileWriter.create(Spool((), 0, str(folder)))
    records = LinkedRecords(file)
    records.append(content)
    return records


def test_reading_and_changing(tmp_path: Path) -> None:
    first = encode_record(TEXT, b"a text of 16 byte")
    records = made(tmp_path, first + encode_record(TEXT, b"x" * 20000))
    assert records.at(0) == (0, TEXT, b"a text of 16 byte", len(first))
    assert records.at(len(first)).text == b"x" * 20000
    place = records.append(encode_record(TEXT, b"new"))
    records.lead(0, place)
    assert records.file_size == place + 5
    pointer = records.at(0)
    assert records.jump(pointer) == place and records.at(place).text == b"new"
    records.lead(0, 0)
    assert records.jump(records.at(0)) == pointer.after


@pytest.mark.parametrize(
    ("content", "offset", "text"),
    [(b"N\x03abc", 5, "no record at 5"), (b"N\x09abc", 0, "no record at 0"), (b"", 0, "no record at 0")],
)
def test_damage(tmp_path: Path, content: bytes, offset: int, text: str) -> None:
    with pytest.raises(DamagedFile, match=f"^{text}$"):
        made(tmp_path, content).at(offset)


def test_pointers() -> None:
    assert pointer_record(0) == b"p\x0f              0"
    assert pointer_record(4711) == b"p\x0f           4711"


def test_a_malformed_pointer(tmp_path: Path) -> None:
    records = made(tmp_path, b"p\x0fxxxxxxxxxxxxxxx")
    with pytest.raises(DamagedFile, match=r"^malformed pointer at 0$"):
        records.jump(records.at(0))
