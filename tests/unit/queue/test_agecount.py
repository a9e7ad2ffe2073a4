"""Counting addresses by domain and age; whole tables are in tests/parity/commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.formats.records import encode_record
from pyfix.queue.agecount import TOTAL, AgeCount, BadFile, files_below, read_addresses


def _count(**options: bool) -> AgeCount:
    return AgeCount(10_000, 4, 5, **{"linear": False, "parents": False, **options})


@pytest.mark.parametrize(("age", "which"), [(-100, 1), (0, 1), (299, 1), (300, 2), (599, 2), (600, 3), (1199, 3), (1200, 4), (9000, 4)])
def test_ranges(age: int, which: int) -> None:
    assert _count().range_of(10_000 - age) == which


@pytest.mark.parametrize(("age", "which"), [(299, 1), (300, 2), (600, 3), (899, 3), (900, 4), (9000, 4)])
def test_linear_ranges(age: int, which: int) -> None:
    assert _count(linear=True).range_of(10_000 - age) == which


@pytest.mark.parametrize(
    ("address", "domain"),
    [(b"a@B.Example", b"b.example"), (b"", b"MAILER-DAEMON"), (b"a", b"a"), (b"a@b@c.d", b"c.d"), (b"a@.x.", b"x"), (b"a@x..y", b"x.y"), (b"a@.", b".")],
)
def test_domains(address: bytes, domain: bytes) -> None:
    count = _count()
    count.add(10_000, address)
    assert count.counts == {TOTAL: [1, 1, 0, 0, 0], domain: [1, 1, 0, 0, 0]}


def test_parents() -> None:
    count = _count(parents=True)
    for address in (b"u@a.b.c.d", b"v@a.b.c.d", b"u@e.b.c.d", b"u@b.c"):
        count.add(10_000, address)
    assert {domain: counts[0] for domain, counts in count.counts.items()} == {
        TOTAL: 4, b"a.b.c.d": 2, b".b.c.d": 3, b".c.d": 3, b"e.b.c.d": 1, b"b.c": 1,
    }  # fmt: skip
    assert count.subdomains == {b".b.c.d": 2, b".c.d": 1}


def _file(folder: Path, data: bytes, mode: int = 0o700, name: str = "ABCDEF") -> str:
    path = folder / name
    path.write_bytes(data)
    path.chmod(mode)
    return str(path)


_POSTED = b"".join(encode_record(ord(kind), data) for kind, data in (("S", b"s@x"), ("R", b"r@x"), ("M", b""), ("N", b"x"), ("X", b""), ("E", b"")))


def test_a_message_that_was_posted(tmp_path: Path) -> None:
    path = _file(tmp_path, encode_record(ord("F"), b"Me") + _POSTED)
    assert read_addresses(path)[1:] == (b"s@x", [b"r@x"])
    assert files_below(str(tmp_path), lambda _error: None) == [path]


@pytest.mark.parametrize(
    ("data", "mode", "name"),
    [(_POSTED, 0o600, "ABCDEF"), (_POSTED, 0o700, "ABCDE"), (b"", 0o700, "ABCDEF"), (_POSTED[:-3], 0o700, "ABCDEF"), (b"x" * 100, 0o700, "ABCDEF")],
)
def test_what_is_no_message(tmp_path: Path, data: bytes, mode: int, name: str) -> None:
    with pytest.raises(BadFile):
        read_addresses(_file(tmp_path, data, mode, name))


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    found: list[OSError] = []
    assert files_below(str(tmp_path / "nosuch"), found.append) == []
    assert len(found) == 1
