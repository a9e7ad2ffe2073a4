"""Running postconf of both sides on the same configuration, each on its own copy."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pyfix.commands.postconf import main
from tests.kit import programs, requirements

NOISE = re.compile(r"(name_mask|inet_addr_local|been_here|mynetworks_core|myflock|ctable_locate|mac_midna_\w+|unescape|casefold_append)\b")
"""What the reference's library tells with -v."""

SHIPPED_MASTER = programs.CHECKOUT / "etc/postfix/master.cf"


@dataclass(frozen=True)
class Done:
    """What one side did."""

    status: int
    out: list[str]
    err: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


class Postconf:
    """Both sides of one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, kind: str, main_cf: str | None, master_cf: str | None, *arguments: str) -> Done:
        """Run one side in a fresh folder of the same name; warnings come sorted, as their order is by chance."""
        place = self._folder / "conf"
        for old in place.iterdir() if place.exists() else ():
            old.unlink()
        place.mkdir(exist_ok=True)
        for name, text in (("main.cf", main_cf), ("master.cf", master_cf)):
            if text is not None:
                (place / name).write_bytes(text.encode("utf-8", "surrogateescape"))
                # the reference reads a file again and again while it is younger than a second
                os.utime(place / name, (1_000_000_000, 1_000_000_000))
        return self.run_there(kind, place, *arguments)

    def run_there(self, kind: str, place: Path, *arguments: str) -> Done:
        """Run one side on the files that are in a folder."""
        words = ["-c", str(place), *arguments]
        status, out, err = _in_process(words) if kind == "pyfix" else _as_program(kind, words)
        err = re.sub(r"(?m)^\S*postconf: ", "", err)
        err = re.sub(r"usage: \S+", "usage: postconf", err)
        files = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file() and path.suffix != ".tmp"}
        return Done(status, out.splitlines(), sorted(err.splitlines()), files)


def _as_program(kind: str, words: list[str]) -> tuple[int, str, str]:
    program = programs.command_directory(kind) / "postconf"
    environment = {**os.environ, **programs.hasty(kind)}
    done = subprocess.run(
        [program, *words], env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    out, err = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    return done.returncode, out, err


def _in_process(words: list[str]) -> tuple[int, str, str]:
    """Run our own command here: that it starts as a program is tested once, in the unit tests of the launchers."""
    out, err = io.StringIO(), io.StringIO()
    argv, environment = sys.argv, dict(os.environ)
    sys.argv = ["postconf"]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words)
    finally:
        sys.argv = argv
        os.environ.clear()
        os.environ.update(environment)
    return status, out.getvalue(), err.getvalue()


@pytest.fixture
def postconf(tmp_path: Path) -> Iterator[Postconf]:
    """Both sides, in a folder of this test."""
    requirements.need_reference()
    yield Postconf(tmp_path)


@pytest.fixture
def same(postconf: Postconf) -> Callable[..., Done]:
    """Run both sides and require the same output, warnings, status and files; returns what they did."""
    shipped = SHIPPED_MASTER.read_text()

    def compare(
        main_cf: str | None, master_cf: str | None, *arguments: str, but: str = r"(?!)", noise: bool = False
    ) -> Done:
        """*but* is a regular expression for the lines of output that depend on the machine.

        *noise* says that the reference tells also of what its library does.
        """
        master = shipped if master_cf == "shipped" else master_cf
        reference = postconf.run("reference", main_cf, master, *arguments)
        ours = postconf.run("pyfix", main_cf, master, *arguments)
        depends = re.compile(but)
        for done in (reference, ours):
            done.out[:] = [line for line in done.out if not depends.match(line)]
            if noise:
                done.err[:] = [line for line in done.err if not NOISE.match(line)]
            if any(line.startswith("fatal: ") for line in done.err):  # what comes before it is by chance
                done.err[:] = [line for line in done.err if line.startswith(("fatal: ", "invalid option"))]
        assert ours == reference
        return ours

    return compare
