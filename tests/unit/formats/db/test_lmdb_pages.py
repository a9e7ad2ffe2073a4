import random
from pathlib import Path

import pytest

from pyfix.formats.db.lmdb_pages import check_lmdb
from pyfix.formats.db.page import DbError
from pyfix.tables.lmdb import write_lmdb

PAGE = 4096


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    """A file with branches, leaves, and values that have pages of their own."""
    keys = [b"key%d\0" % number for number in range(800)]
    values = [b"v" * (number % 200) if number % 100 else b"w" * 9000 for number in range(800)]
    write_lmdb(str(tmp_path / "t.lmdb"), keys, values, 1 << 20, replace=True)
    return (tmp_path / "t.lmdb").read_bytes()


def check(data: bytes) -> None:
    check_lmdb(lambda offset, size: data[offset : offset + size])


def test_whole_files(tmp_path: Path, image: bytes) -> None:
    check(image)
    for count in (0, 1):
        path = tmp_path / f"{count}.lmdb"
        write_lmdb(str(path), [b"k"] * count, [b"v"] * count, 1 << 20, replace=True)
        check(path.read_bytes())


def test_files_after_many_changes(tmp_path: Path) -> None:
    """Pages that were given up may have anything in them."""
    path, chance = tmp_path / "t.lmdb", random.Random(3)
    for _ in range(12):
        keys = [b"k%d" % chance.randrange(3000) for _ in range(400)]
        values = [b"v" * chance.choice([1, 50, 1000, 5000]) for _ in keys]
        write_lmdb(str(path), keys, values, 1 << 20, replace=False, remove=[b"k%d" % number for number in range(0, 3000, 7)])
        check(path.read_bytes())


@pytest.mark.parametrize("size", [0, 100, PAGE, 2 * PAGE, 3 * PAGE])
def test_truncated(image: bytes, size: int) -> None:
    with pytest.raises(DbError):
        check(image[:size])


@pytest.mark.parametrize("content", [bytes(PAGE), b"\xff" * PAGE])
def test_pages_of_another_content(image: bytes, content: bytes) -> None:
    """Of the tree each page is missed; not all pages are of the tree, and of some values only the first page tells."""
    missed = 0
    for number in range(len(image) // PAGE):
        try:
            check(image[: number * PAGE] + content + image[(number + 1) * PAGE :])
        except DbError:
            missed += 1
    assert missed > len(image) // PAGE // 2


def test_any_bytes(image: bytes) -> None:
    """Anything is right or a DbError, soon."""
    chance, wrong = random.Random(1), 0
    for _ in range(300):
        data = bytearray(image)
        for _ in range(chance.choice([1, 20, 1000])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            check(bytes(data))
        except DbError:
            wrong += 1
    assert 100 < wrong < 300
