"""Table files that are damaged: an error wherever the reference has one, and never an answer that it would not give."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import pytest

from .conftest import Both, Done, make_old

pytestmark = [pytest.mark.reference, pytest.mark.root]

FILES = {"hash": "t.db", "btree": "t.db", "lmdb": "t.lmdb", "cdb": "t.cdb", "sqlite": "t.sqlite"}
ENTRIES = {f"key{n}": " ".join([f"value{n}"] * (n % 7 + 1)) for n in range(600)} | {f"big{n}": "v" * 9000 for n in range(3)}
ASKED = [*list(ENTRIES)[:600:37], "big1", "none", "key7x"]
PAGE = 4096

ENDLESS = {
    ("btree", "-q"): {"page 2 of zeros"},
    ("btree", "-s"): {"page 2 of zeros"},
    ("lmdb", "-s"): {"page 2 random"},
    ("cdb", "-s"): {"ones", "page 2 random", *(f"page {number} of ones" for number in (0, 1, 2, 5))},
}
"""What the reference is not asked, as it would go round for ever; ours has to have an error."""
REFERENCE_SECONDS = 1
"""Processor time after which the reference is taken to do so elsewhere; what it is asked takes a hundredth of it."""
OUR_SECONDS = 20


def _damaged(whole: bytes, other: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield files by what happened to them; *other* is a file of another type."""
    size = len(whole)
    for length in (0, 1, 100, 511, 512, 2047, 2048, PAGE, size // 2, size // 2 // PAGE * PAGE, size - PAGE, size - 1):
        yield f"cut after {length} bytes", whole[:length]
    yield "some bytes more", whole + b"x" * 1000
    yield "a page more", whole + b"\xff" * PAGE
    yield "text", b"this is no table\n" * 1000
    yield "of another type", other
    yield "zeros", bytes(size)
    yield "ones", b"\xff" * size
    yield "random", chance.randbytes(size)
    yield "another magic number", whole[:12] + b"\1\2\3\4" + whole[16:]
    for number in (0, 1, 2, 5, size // PAGE - 1):
        before, after = whole[: number * PAGE], whole[(number + 1) * PAGE :]
        yield f"page {number} random", before + chance.randbytes(PAGE) + after
        yield f"page {number} of ones", before + b"\xff" * PAGE + after
        if number < 5:
            yield f"page {number} of zeros", before + bytes(PAGE) + after
    for bit in (0, 1, 2, 3, 4, 5, 7, 8, 31):
        yield f"flag {bit} of Berkeley DB", whole[:48] + (1 << bit).to_bytes(4, "little") + whole[52:]
    for few in range(6):
        yield f"bits at the beginning, {few}", _with_other_bits(whole, 3, 512, chance)
    for many in range(12):
        yield f"bits everywhere, {many}", _with_other_bits(whole, size // 100, size, chance)


def _with_other_bits(whole: bytes, count: int, within: int, chance: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(count):
        data[chance.randrange(within)] ^= 1 << chance.randrange(8)
    return bytes(data)


def _made(both: Both, kind: str) -> bytes:
    if kind == "sqlite":
        path = both.path("reference", "t.sqlite")
        database = sqlite3.connect(path)
        with database:
            database.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)")
            database.executemany("INSERT INTO t VALUES (?, ?)", ENTRIES.items())
        database.close()
        for side in both.folders:
            configuration = f"dbpath = {both.path(side, 't.sqlite')}\nquery = SELECT v FROM t WHERE k = '%s'\n"
            both.path(side, "t.cf").write_text(configuration)
            make_old(both.path(side, "t.cf"))
    else:
        assert both.run("reference", "postmap", f"{kind}:t").status == 0
    return both.path("reference", FILES[kind]).read_bytes()


def _failed(done: Done) -> bool:
    return done.status < 0 or any(": fatal: " in line for line in done.err)


def _wrong(theirs: Done, ours: Done) -> str:
    """Say what is wrong with what ours did."""
    if ours.status < 0:
        return f"ended by signal {-ours.status}"
    if any("Traceback" in line for line in ours.err):
        return "a bug"
    if not _failed(ours):
        return "" if (theirs.status, theirs.out) == (ours.status, ours.out) else "no error, and not what the reference says"
    if ours.status != 1:
        return f"an error, and status {ours.status}"
    # That an error comes sooner than the reference's, or where it has none, is no loss.
    return "" if _failed(theirs) or theirs.out.startswith(ours.out) else "another answer before the error"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", FILES)
def test_damage(both: Both, kind: str) -> None:
    """Keys one after the other until there is an error; and all that is there."""
    both.write("t", "".join(f"{key} {value}\n" for key, value in ENTRIES.items()))
    other = _made(both, "cdb" if kind == "btree" else "btree")
    whole = _made(both, kind)
    table = "sqlite:./t.cf" if kind == "sqlite" else f"{kind}:t"
    found: list[str] = []
    failed: list[str] = []
    for name, data in [("nothing", whole), *_damaged(whole, other, random.Random(4))]:
        for words in (["-q", "-"], ["-s"])[: 1 if kind == "sqlite" else 2]:
            done = []
            for side, limit in (("reference", REFERENCE_SECONDS), ("pyfix", OUR_SECONDS)):
                path: Path = both.path(side, FILES[kind])
                path.unlink(missing_ok=True)  # an lmdb file is not changed under its reader
                path.write_bytes(data)
                given = "".join(f"{key}\n" for key in ASKED)
                if side == "reference" and name in ENDLESS.get((kind, words[0]), ()):
                    done.append(Done(-SIGKILL, "", []))
                else:
                    done.append(both.run(side, "postmap", *words, table, given=given, seconds=limit))
            problem = _wrong(*done)
            if problem:
                found.append(f"{name}, {words[0]}: {problem}; the reference: {done[0].status} {done[0].err[:1]}, ours: {done[1].err[:1]}")
            if name == "nothing":
                assert not _failed(done[0]) and len(done[0].out.splitlines()) == (17 + 1 if words[0] == "-q" else len(ENTRIES))
            elif _failed(done[0]) and _failed(done[1]):
                failed.append(name)
    assert not found, "\n".join(found)
    assert len(set(failed)) >= 20, failed
