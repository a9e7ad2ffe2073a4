"""Running the same table command on both sides, in two folders that are alike."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit import programs, requirements
from tests.kit.comparison import differences
from tests.kit.forked import run_forked, run_in_turn

_NOT_OURS = ("to make it anew: ", "hash/btree support is deprecated", "NON_BERKELEYDB_README", " package installed?", "BDB0")
"""What only pyfix says, warnings that Debian's Postfix adds, and what libdb says in its own words."""

_SYSTEM_ERROR = re.compile(r"(?<= error): [^:]*$| \([^()]*\)$")
"""What the reference adds to an error that is none of the system's: the system's last error, whatever that was."""

_MADE = re.compile(r"YP_LAST_MODIFIED:\t\d+")
"""What postalias notes in a table about the time."""

MAIN_CF = """\
compatibility_level = 3.11
myhostname = mail.ours.example
mydomain = ours.example
default_database_type = hash
smtputf8_enable = yes
"""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    status: int
    out: str
    err: list[str]


INTERNATIONAL = [
    "ü", "Ü", "ü@bücher.example", "Ü@BÜCHER.example", "ü@xn--bcher-kva.example", "@bücher.example", "u@bücher.example", "ß@straße.example", "SS@STRASSE.example",
    "用户@例え.example", "İ@İ.example", "\u0130", "\ufb00@x.com", "a\udcff", "\udcff@x.com", "a@\udcfc.example", "\udcc3", "u\u0308@bu\u0308cher.example", "a@x.com",
]  # fmt: skip
"""Keys of smtputf8, and some that are no UTF-8."""


def make_old(path: Path) -> None:
    """Set a file's time back: the reference reads a file again and again until it is older than a second."""
    before = time.time() - 60
    os.utime(path, (before, before))


class Both:
    """Two folders in which each side does the same."""

    def __init__(self, folder: Path) -> None:
        self.folders = {"reference": folder / "reference", "pyfix": folder / "pyfix"}
        self.unheard = _NOT_OURS
        for kind, place in self.folders.items():
            (place / "work").mkdir(parents=True)
            (place / "etc").mkdir()
            settings = "".join(f"{name} = {value}\n" for name, value in programs.settings(kind).items())
            queue = f"queue_directory = {place}/spool\ndata_directory = {place}/data\nmaillog_file = {place}/log\n"
            queue += f"maillog_file_prefixes = {place}\n"
            (place / "etc/main.cf").write_text(MAIN_CF + settings + queue)
            (place / "etc/master.cf").write_text("")
            make_old(place / "etc/main.cf")

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file in both work folders."""
        data = content.encode() if isinstance(content, str) else content
        for place in self.folders.values():
            (place / "work" / name).write_bytes(data)
            make_old(place / "work" / name)

    def use_smtputf8(self, enabled: str) -> None:
        """Set smtputf8_enable on both sides."""
        for place in self.folders.values():
            path = place / "etc/main.cf"
            path.write_text(path.read_text().replace("smtputf8_enable = yes\n", f"smtputf8_enable = {enabled}\n"))
            make_old(path)

    def path(self, kind: str, name: str) -> Path:
        """Return a file in one side's work folder."""
        return self.folders[kind] / "work" / name

    def run(self, kind: str, command: str, *arguments: str, given: str | bytes = b"", other: str = "", seconds: int = 0) -> Done:
        """Run a command of one side, in the work folder of the *other* if that is told.

        One that takes more than *seconds* of the processor's time is killed; and the reference gets no gigabytes then.
        """
        data = given.encode() if isinstance(given, str) else given
        folder = self.folders[other or kind] / "work"
        environment = self._environment(kind)
        if kind == "pyfix":
            status, out, err = run_forked(command, arguments, folder, environment, data, seconds)
        else:
            bounded = ["prlimit", f"--cpu={seconds}", "--as=300000000"] if seconds else []
            words = [*bounded, programs.command_directory(kind) / command, *arguments]
            done = subprocess.run(
                words, cwd=folder, env=environment | programs.hasty(kind), input=data, capture_output=True, check=False, timeout=300
            )
            status, out, err = done.returncode, done.stdout, done.stderr
        return self._done(status, out, err)

    def _environment(self, kind: str) -> dict[str, str]:
        return {"MAIL_CONFIG": str(self.folders[kind] / "etc"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

    def _done(self, status: int, out: bytes, err: bytes) -> Done:
        lines = err.decode(errors="surrogateescape").splitlines()
        heard = [line for line in lines if not any(words in line for words in self.unheard)]
        return Done(status, out.decode(errors="surrogateescape"), heard)

    def same(self, command: str, *arguments: str, given: str | bytes = b"", in_order: bool = True) -> Done:
        """Run a command on both sides, and insist on the same status, output and messages."""
        theirs = self.run("reference", command, *arguments, given=given)
        ours = self.run("pyfix", command, *arguments, given=given)
        found = _compared([command, *arguments], theirs, ours, in_order)
        assert not found, "\n".join(found)
        return ours

    def all_same(self, command: str, cases: Sequence[Sequence[str]], given: str | bytes = b"") -> None:
        """Do as same() for commands that change nothing, and tell all that differs."""
        found: list[str] = []
        for case in cases:
            theirs = self.run("reference", command, *case, given=given)
            found += _compared([command, *case], theirs, self.run("pyfix", command, *case, given=given), True)
        assert not found, "\n".join(found)


    def all_same_in_turn(self, command: str, cases: Sequence[Sequence[str]], given: str) -> None:
        """Do as all_same() with one process of ours for all cases, and one shell for the reference's: for many cases."""
        for kind in self.folders:
            self.path(kind, "given").write_text(given)
        program = str(programs.command_directory("reference") / command)
        script = 'for number in $(seq $#); do eval "$1" <given >out.$number 2>err.$number; echo $?; shift; done'
        asked = [shlex.join([program, *case]) for case in cases]
        environment = self._environment("reference") | programs.hasty("reference")
        folder = self.folders["reference"] / "work"
        said = subprocess.run(
            ["sh", "-c", script, "sh", *asked], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=300
        ).stdout  # fmt: skip
        statuses = list(map(int, said.split()))
        run_in_turn(command, cases, self.folders["pyfix"] / "work", self._environment("pyfix"))
        statuses_of_ours = list(map(int, self.path("pyfix", "statuses").read_text().split()))
        assert len(statuses) == len(statuses_of_ours) == len(cases)
        found: list[str] = []
        for number, (case, *both) in enumerate(zip(cases, statuses, statuses_of_ours, strict=True), 1):
            theirs, ours = (
                self._done(status, *(self.path(kind, f"{name}.{number}").read_bytes() for name in ("out", "err")))
                for kind, status in zip(self.folders, both, strict=True)
            )
            found += _compared([command, *case], theirs, ours, True)
        assert not found, "\n".join(found)


def _compared(words: Sequence[str], theirs: Done, ours: Done, in_order: bool) -> list[str]:
    """Return what differs."""
    shown = [_MADE.sub("YP_LAST_MODIFIED NOW", done.out).splitlines() for done in (theirs, ours)]
    outputs = shown if in_order else [sorted(lines) for lines in shown]
    found = differences("status", [str(theirs.status)], [str(ours.status)])
    found += differences("output", *outputs)
    said = [line if line in ours.err else _SYSTEM_ERROR.sub("", line) for line in theirs.err]
    found += differences("messages", said, ours.err)
    return [shlex.join(words), *found] if found else []


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """Both sides, side by side."""
    requirements.need_reference()
    yield Both(tmp_path)
