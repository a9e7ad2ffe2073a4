"""Which locks of others postmap(1) waits for, by type of table and what is asked of it."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.kit import programs
from tests.kit.processes import wait_until

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

ACTIONS = {"-q a": "", "-s": "", "-i": "a 3\n", "-ir": "a 3\n", "-d b": "", "": ""}
"""Options of postmap, and what it reads."""

_CALLS = {"flock": fcntl.flock, "fcntl": fcntl.lockf}


def _waits(both: Both, side: str, table: str, words: str) -> bool:
    """Run postmap; tell whether it comes to wait for a lock, in which case it is ended."""
    environment = {"MAIL_CONFIG": str(both.folders[side] / "etc"), "PATH": "/usr/bin"} | programs.hasty(side)
    given = both.path(side, "given")
    given.write_text(ACTIONS[words])
    with given.open("rb") as stdin, subprocess.Popen(
        [programs.command_directory(side) / "postmap", *words.split(), table], cwd=both.folders[side] / "work", env=environment, stdin=stdin,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip

        def blocked() -> bool:
            # "1: -> FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF"
            waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if " -> " in line]
            return str(process.pid) in [words[5] for words in waiting]

        assert wait_until(lambda: process.poll() is not None or blocked(), 30), (side, table, words)
        waits = process.poll() is None
        process.kill()
    return waits


@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb", "cdb"])
def test_locks_of_others(both: Both, kind: str) -> None:
    """Berkeley DB files have locks of flock(2), lmdb files those of fcntl(2), cdb files none, as they are never changed.

    To add to an lmdb file the reference waits for nobody, and two who do so at once may spoil it.  pyfix waits.
    """
    both.write("t", "a 1\nb 2\n")
    both.same("postmap", f"{kind}:t")
    suffix = {"lmdb": "lmdb", "cdb": "cdb"}.get(kind, "db")
    own, other = ("fcntl", "flock") if kind == "lmdb" else ("flock", "fcntl")
    differing = []
    for call, mode, words in [(call, mode, words) for call in (own, other) for mode in ("LOCK_EX", "LOCK_SH") for words in ACTIONS]:
        if (call, mode) == (other, "LOCK_SH") or (kind == "cdb" and words[:2] in ("-i", "-d")):
            continue
        seen = []
        for side in both.folders:
            with both.path(side, f"t.{suffix}").open("r+b") as stream:
                _CALLS[call](stream, getattr(fcntl, mode))
                seen.append(_waits(both, side, f"{kind}:t", words))
        if seen[0] != seen[1]:
            differing.append((call, mode, words, seen))
    expected = [("fcntl", mode, words, [False, True]) for mode in ("LOCK_EX", "LOCK_SH") for words in ("-i", "-ir")]
    assert differing == (expected if kind == "lmdb" else [])
