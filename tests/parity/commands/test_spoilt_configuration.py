"""Every command with a main.cf or master.cf that is spoilt, and with options that it does not have.

Each says what the reference says and ends as it ends; never a traceback.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import programs, requirements
from tests.kit.site import SETPRIV

pytestmark = [pytest.mark.reference, pytest.mark.root]

LONG = b"x" * 1_000_000
GARBAGE = bytes(range(1, 256)) + b"\n"

MAIN_CF: dict[str, bytes | None] = {
    "folder": None,
    "missing": None,
    "link to itself": None,
    "link to nothing": None,
    "ring of names": b"mail_name = $a\na = $b\nb = $a\n",
    "name within itself": b"mail_name = x${mail_name}\n",
    "ring in a number": b"ipc_timeout = ${a}s\na = $ipc_timeout\n",
    "null bytes": b"mail_name = a\0b\n\0\nsoft_bounce = no\n",
    "null bytes and no more": b"mail_name = a\0b\nsoft_bounce = no\0\n",
    "long value": b"mail_name = " + LONG + b"\n",
    "long name": LONG + b" = x\n",
    "long junk": LONG + b"\n",
    "garbage": GARBAGE,
    "garbage in a value": b"mail_name = " + bytes(range(128, 256)) + b"\n",
    "twice": b"mail_name = one\nsoft_bounce = no\nmail_name = two\n",
    "blanks first": b"  mail_name = one\n",
    "twice, then junk": b"mail_name = one\nmail_name = two\njunk\n",
}
"""What stands at the start of a good main.cf, None for what takes its place."""

MASTER_CF: dict[str, bytes | None] = {
    "folder": None,
    "missing": None,
    "link to itself": None,
    "null bytes": b"x unix - - - - - p a\0b\n\0\n",
    "long argument": b"x unix - - - - - p " + LONG + b"\n",
    "long junk": LONG + b"\n",
    "garbage": GARBAGE,
    "one word": b"x\n",
}

COMMANDS = (
    "postconf mail_name", "postconf -n", "mailq", "qshape", "qshape -p hold", "postmap -q a texthash:{}/table", "postmap texthash:{}/nosuch", "postalias -q a texthash:{}/table",
    "postqueue -p", "postqueue -j", "postqueue -f", "postqueue -i ABCDEF1234", "postqueue -s x.example", "postcat {}/nosuch", "postcat -q ABCDEF1234",
    "postsuper -d ABCDEF1234", "postsuper -s", "postdrop", "postlog x", "postlock {}/lock true", "postkick public nosuch x", "postmulti -l",
    "postmulti -x true", "sendmail -bp", "sendmail -bi", "sendmail -q", "newaliases", "postfix status", "postfix check", "postfix flush",
    "postfix stop", "sendmail x@y.example", "sendmail -bv x",
)  # fmt: skip
FEW = (
    "postconf mail_name", "mailq", "qshape", "postmap -q a texthash:{}/table", "postalias -q a texthash:{}/table", "postqueue -p", "postcat {}/nosuch",
    "postsuper -d ABCDEF1234", "postdrop", "postlog x", "postlock {}/lock true", "postkick public nosuch x", "postmulti -l", "newaliases", "postfix status",
    "sendmail x@y.example",
)  # fmt: skip
"""Each once."""
ALL_FORMS = ("folder", "null bytes", "ring of names", "twice")
READERS_OF_MASTER_CF = (
    "postconf -n", "postconf -M", "postmulti -l", "postfix status", "postfix check", "postfix stop", "postfix nosuch", "postqueue -p", "postmap -q a texthash:{}/table", "sendmail -bv x",
    "sendmail -bi",
)  # fmt: skip
"""Commands that read it, and some that do not."""

NOBODYS = tuple(command for command in COMMANDS if not command.startswith(("postqueue", "postdrop")))
"""What has no rights but the caller's."""

ALL = sorted({command.split()[0] for command in COMMANDS})

OPTIONS = ("-Z", "-Zv", "-v -Z x", "--nosuch", "-c", "-c relative", "-c /no/where", "-? x", "-- -Z")

FOLDERS = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid", "private", "public", "saved", "trace")


class Place:
    """A configuration with a queue, for one side."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder / kind
        self.folder.mkdir(mode=0o755)
        for name in ("queue", "data", *(f"queue/{name}" for name in FOLDERS)):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o777)
        (self.folder / "table").write_text("a b\n")
        main = programs.settings(kind) | {
            "queue_directory": f"{self.folder}/queue", "data_directory": f"{self.folder}/data", "mynetworks": "127.0.0.1", "compatibility_level": "3.11",
            "alias_maps": "", "alias_database": "",
        }  # fmt: skip
        self.good = "".join(f"{name} = {value}\n" for name, value in main.items()).encode()
        self.write("main.cf", self.good)
        self.write("master.cf", b"")

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.write_bytes(content)
        os.utime(path, (1_000_000_000, 1_000_000_000))  # the reference reads a file again and again while it is younger than a second

    def spoil(self, name: str, how: str) -> None:
        """Put something else in the place of a file."""
        path = self.folder / name
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how.startswith("link"):
            path.symlink_to(name if how.endswith("itself") else "nosuch")

    def run(self, command: str, *, nobody: bool = False) -> tuple[int, list[str]]:
        """Return the exit status and all that a command says, without what differs between the sides."""
        name, *words = command.split()
        there = programs.settings(self.kind)
        path = there[f"{name}_path"] if name in ("mailq", "newaliases") else str(programs.command_directory(self.kind) / name)
        done = subprocess.run(
            [*(SETPRIV if nobody else ()), path, *(word.format(self.folder) for word in words)],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60, cwd="/",
            env={"PATH": f"{programs.command_directory(self.kind)}:/usr/bin:/bin", "MAIL_CONFIG": str(self.folder), **programs.hasty(self.kind)},
        )  # fmt: skip
        text = (done.stdout + done.stderr).decode("utf-8", "surrogateescape").replace(str(self.folder), "<PLACE>")
        text = re.sub(rf"(?m)({programs.command_directory(self.kind)}|{Path(there['mailq_path']).parent})/", "", text)
        text = re.sub(r"queue_id\0\w+", "queue_id", text).replace(str(programs.daemon_directory(self.kind)), "<DAEMONS>")
        text = re.sub(r'(unreasonable macro call nesting: )".*"', r"\1<one of the ring>", text)
        lines = [line for line in text.splitlines() if not _OF_THIS_SIDE.search(line)]
        if name == "postfix":  # which runs postconf several times, if it is the reference's
            lines = list(dict.fromkeys(line for line in lines if not _TOLD_AGAIN.search(line)))
        elif name == "qshape":
            lines = [line for line in lines if not _OF_SCRIPTS.search(line)]
            explained = next((number for number, line in enumerate(lines, 1) if line.endswith(_END_OF_SYNOPSIS)), len(lines))
            lines = lines[:explained]  # each has its own words for what the options do
        return done.returncode, lines


_OF_THIS_SIDE = re.compile(r"^(\w+_(directory|path)|alias_\w+) =|(postdrop|postqueue)( is not a set-gid program)?$")
"""What postconf shows of the programs, and what check says of how they are installed."""


_END_OF_SYNOPSIS = "[ -c <config_directory> ] [ <queue_name> ... ]"

_TOLD_AGAIN = re.compile(r"^(postconf|postfix/postlog): warning: <PLACE>/main\.cf")
"""What postfix(1) itself has told of already, and what the reference's tells of parameters that nothing reads."""

_OF_SCRIPTS = re.compile(r"postconf: warning: .*: unused parameter: | at \S+ line \d+\.$")
"""What the reference's qshape says of parameters that it has nothing to do with, and of itself."""


@pytest.fixture
def places() -> Iterator[list[Place]]:
    """The reference's and ours, where nobody may walk."""
    requirements.need_reference()
    with tempfile.TemporaryDirectory(prefix="pyfix-spoilt-") as folder:
        Path(folder).chmod(0o755)
        yield [Place(kind, Path(folder)) for kind in ("reference", "pyfix")]


def compare(places: list[Place], commands: tuple[str, ...], *, nobody: bool = False) -> list[tuple[int, list[str]]]:
    """Run commands on both sides; return what ours did."""
    seen = []
    for command in commands:
        theirs, ours = (place.run(command, nobody=nobody) for place in places)
        assert ours == theirs, command
        assert not any("Traceback" in line for line in ours[1]), command
        seen.append(ours)
    return seen


@pytest.mark.parametrize("how", MAIN_CF)
def test_main_cf(places: list[Place], how: str) -> None:
    content = MAIN_CF[how]
    for place in places:
        if content is None:
            place.spoil("main.cf", how)
        else:
            place.write("main.cf", content + place.good)
    commands = COMMANDS if how in ALL_FORMS else FEW
    if "ring" in how or how == "name within itself":  # ours wants to know queue_directory, and nothing else
        commands = tuple(command for command in commands if not command.startswith("qshape"))
    seen = compare(places, commands)
    if content is None:
        assert all(status for status, _lines in seen)


def test_a_main_cf_that_nobody_may_read(places: list[Place]) -> None:
    for place in places:
        (place.folder / "main.cf").chmod(0o600)
    assert all(status for status, _lines in compare(places, NOBODYS, nobody=True))


@pytest.mark.parametrize("how", MASTER_CF)
def test_master_cf(places: list[Place], how: str) -> None:
    content = MASTER_CF[how]
    for place in places:
        if content is None:
            place.spoil("master.cf", how)
        else:
            place.write("master.cf", content)
    compare(places, READERS_OF_MASTER_CF)


def test_a_master_cf_that_nobody_may_read(places: list[Place]) -> None:
    for place in places:
        (place.folder / "master.cf").chmod(0o600)
    compare(places, ("postconf -n", "postconf -M", "postmap -q a texthash:{}/table"), nobody=True)


@pytest.mark.parametrize("command", ALL)
def test_options(places: list[Place], command: str) -> None:
    """What is no option, or lacks its value, or is a folder without main.cf."""
    compare(places, tuple(f"{command} {options}" for options in OPTIONS))
